#!/usr/bin/env bash
# What no memory holds, through `culvert ws`: a message of 4 GB in one frame, read in chunks, and 10 GB of messages whose
# reader is slow, to a client and through an echo server. Prints the processes' peak memory (VmHWM) and a verdict for
# each, and exits with 1 when one takes 64 MiB or loses a byte. Linux only.
#
#     Tests/bigstream.sh                               4 GB and 10 GB, in release: about two minutes
#     Tests/bigstream.sh --frame 1 --firehose 2        so many GB
#     Tests/bigstream.sh --culvert .build/debug/culvert   a program that is built already
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
case " $* " in
*" --culvert "* | *" --help "*) ;;
*)
    swift build -c release --product culvert
    set -- --culvert "$(swift build -c release --show-bin-path)/culvert" "$@"
    ;;
esac
exec python3 Tests/Benchmarks/bigstream.py "$@"
