#!/usr/bin/env bash
# Culvert's proxy beside the field: the same load on each in turn, one table with ratios, JSON and a picture.
#
#     Tests/Benchmarks/compare.sh            everything, about half an hour
#     Tests/Benchmarks/compare.sh --quick    a first look, about four minutes
#     Tests/Benchmarks/compare.sh --growth   how cost grows with tunnels and threads
#     Tests/Benchmarks/compare.sh --help     which proxies, which loads, how often
#
# Installs what is missing, builds in release, starts every proxy on loopback and stops it again. Linux only.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
case " $* " in
*" --help "* | *" -h "*) exec python3 Tests/Benchmarks/compare.py --help ;;
esac

Tests/install.sh
swift build -c release --product culvert
swift build -c release --product benchmarks
# A tunnel takes two descriptors in the proxy, and two in the load generator.
ulimit -n 65536 2>/dev/null || ulimit -n "$(ulimit -Hn)"
exec python3 Tests/Benchmarks/compare.py --programs "$(swift build -c release --show-bin-path)" "$@"
