#!/usr/bin/env bash
# Installs what the tests need, checks the format, builds with our warnings as errors and runs every test.
# Arguments go to `swift test`, so `Tests/run.sh --filter EndToEndTests` runs a part. The last line counts test
# functions: `N passed, N failed`. A run without a test is a failure.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

# A filter that matches a part must not be checked less than the whole.
export CULVERT_STRICT=1
# More tests at once than a small machine has cores for meet their deadlines less often.
export SWT_EXPERIMENTAL_MAXIMUM_PARALLELIZATION_WIDTH=${SWT_EXPERIMENTAL_MAXIMUM_PARALLELIZATION_WIDTH:-4}

step() { printf '== %s (%ss)\n' "$1" "$SECONDS"; }

step "install"
Tests/install.sh

step "format"
swift format lint --strict --parallel --recursive Sources Tests

step "build"
swift build --build-tests

scratch=$(mktemp -d)
# Daemons that run as nobody keep their files in there.
chmod 755 "$scratch"
trap 'rm -rf "$scratch"' EXIT

step "test"
status=0
# The progress of suites; the log of a full run is 20,000 lines, and its end is what gets read.
pass() {
    local name=$1
    shift
    TMPDIR="$scratch" swift test --skip-build --xunit-output "$scratch/$name.xml" "$@" 2>&1 |
        tee -a "$scratch/log" |
        grep --line-buffered -E '^(✔ Suite|✘|➜|↳) ' ||
        status=${PIPESTATUS[0]}
}
if [ $# -gt 0 ]; then
    pass results "$@"
else
    # Apart: the deadlines of the units are not for a machine that runs browsers and a hundred servers beside them.
    pass results-units --skip EndToEndTests
    step "test with peers"
    pass results-peers --filter EndToEndTests --skip 'EndToEndTests\.(AutobahnTests|InteropLocalTests)'
    step "test with the Autobahn TestSuite"
    pass results-autobahn --filter 'EndToEndTests\.AutobahnTests'
    step "test with every peer"
    pass results-interop --filter 'EndToEndTests\.InteropLocalTests'
fi

# Whatever went wrong, once more and with what was said of it: the tests that failed, issues that no test owns too.
if grep -q '^✘' "$scratch/log"; then
    step "issues"
    grep -E -A 12 '^✘ .* recorded an? ' "$scratch/log" | grep -Ev '^(◇|✔|\[)' | cut -c 1-2000 | tail -n 200 || true
fi

# One file per test library; XCTest's is there too, and empty.
read -r total failed < <(python3 - "$scratch" <<'PYTHON'
import glob, sys
import xml.etree.ElementTree as tree

total = failed = 0
for path in glob.glob(f"{sys.argv[1]}/results*.xml"):
    try:
        cases = list(tree.parse(path).iter("testcase"))
    except tree.ParseError:
        # The process that wrote it has crashed: at least one test did not end.
        total += 1
        failed += 1
        continue
    for case in cases:
        if case.find("skipped") is None:
            total += 1
            failed += case.find("failure") is not None or case.find("error") is not None
print(total, failed)
PYTHON
)

step "done"
# How many cases of the Autobahn TestSuite passed: one test function stands for hundreds.
grep '^autobahn .* cases: ' "$scratch/log" || true
if [ "$total" -eq 0 ]; then
    echo "no test ran"
    status=1
fi
# A crash of the test process leaves no failed case behind, but an exit code.
if [ "$failed" -gt 0 ] && [ "$status" -eq 0 ]; then status=1; fi
echo "$((total - failed)) passed, $failed failed"
exit "$status"
