#!/usr/bin/env bash
# The tests of the package trait `Tracing`, which is off by default: a build of its own, some minutes the first time.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

Tests/install.sh --build
export CULVERT_STRICT=1
build=(--traits Tracing --scratch-path .build/tracing)
swift build "${build[@]}" --build-tests
exec swift test "${build[@]}" --skip-build --filter OpeningSpanTests
