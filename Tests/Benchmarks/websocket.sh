#!/usr/bin/env bash
# Culvert's WebSockets beside the field: echoes for each second of processor time, as server and as client, plain and
# TLS, and the memory of idle connections, against Python websockets, Node ws, gorilla/websocket and libwebsockets.
#
#     Tests/Benchmarks/websocket.sh            everything, about a quarter of an hour
#     Tests/Benchmarks/websocket.sh --quick    a first look, about four minutes
#     Tests/Benchmarks/websocket.sh --help     which libraries, which sizes, how often
#
# Installs what is missing, builds in release, starts every server on loopback and stops it again. Linux only.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
case " $* " in
*" --help "* | *" -h "*) exec python3 Tests/Benchmarks/websocket.py --help ;;
esac

Tests/install.sh
swift build -c release --product benchmarks
# Five thousand connections at once.
ulimit -n 65536 2>/dev/null || ulimit -n "$(ulimit -Hn)"
exec python3 Tests/Benchmarks/websocket.py --programs "$(swift build -c release --show-bin-path)" "$@"
