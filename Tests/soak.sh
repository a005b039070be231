#!/usr/bin/env bash
# Opens and ends tunnels through `culvert proxy` for a while, thousands at a time, and fails on an error, on a
# descriptor that stays or on memory that grows.
#
#     Tests/soak.sh [MINUTES] [TUNNELS]      10 minutes and 5000 tunnels unless told
#
# Prints a line every few seconds and a verdict at the end. Uses the release build, or CULVERT_BIN.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

if [ -z "${CULVERT_BIN-}" ]; then
    swift build -c release --product culvert >&2
    CULVERT_BIN=$(swift build -c release --show-bin-path)/culvert
fi
exec python3 Tests/Soak/soak.py "$CULVERT_BIN" --minutes "${1-10}" --tunnels "${2-5000}"
