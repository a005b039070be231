#!/usr/bin/env bash
# The original Autobahn TestSuite against our WebSocket client and server, from zero: installs it, builds, runs every
# case, prints the counts of each run. Exit status 0 means that no case failed and none was judged NON-STRICT.
#
#     Tests/autobahn.sh                  517 cases of every run: client and server, ws and wss, client through a tunnel
#     Tests/autobahn.sh client-ws …      of these runs: client-ws client-wss client-tunnel server-ws server-wss
#     Tests/autobahn.sh --quick …        groups 1 to 7, 9 and 10, and a fixed part of 12 and 13, in the debug build
#
# The reports stay in .build/autobahn.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

cases=full
configuration=release
if [ "${1-}" = --quick ]; then
    shift
    cases=quick
    configuration=debug
fi

Tests/install.sh --autobahn
swift build -c "$configuration" --product culvert
swift build -c "$configuration" --product autobahn-client
rm -rf .build/autobahn
exec python3 Tests/Autobahn/suite.py --bin "$(swift build -c "$configuration" --show-bin-path)" \
    --suite .build/peers/venv-autobahn --out .build/autobahn --cases "$cases" "$@"
