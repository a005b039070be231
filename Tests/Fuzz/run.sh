#!/bin/sh
# Builds every fuzzer under Tests/Fuzz and runs each on its corpus.
#
#   Tests/Fuzz/run.sh [seconds for each, 60] [fuzzer, all]
#
# Folder Tests/Fuzz/XWire is the target FuzzXWire; its corpus is Tests/Fuzz/Corpus/x.
# Exits with 1 when an input breaks a rule; that input is left in the artifacts folder.
set -u
seconds=${1:-60}
only=${2:-}
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
scratch=${CULVERT_FUZZ_SCRATCH:-"$root/.build/fuzz"}
artifacts="$scratch/artifacts"
failed=0

cd "$root" || exit 2
mkdir -p "$artifacts"
for folder in "$here"/*/; do
    name=$(basename "$folder")
    [ "$name" != Corpus ] || continue
    corpus="$here/Corpus/$(echo "${name%Wire}" | tr '[:upper:]' '[:lower:]')"
    mkdir -p "$corpus"
    [ -z "$only" ] || [ "$only" = "$name" ] || continue
    echo "== $name: building"
    CULVERT_FUZZ=1 swift build -c release --scratch-path "$scratch" --product "Fuzz$name" || exit 2
    program="$scratch/release/Fuzz$name"
    # What the fuzzer finds goes to the first folder; the committed corpus is only read.
    found="$scratch/found/$name"
    mkdir -p "$found"
    echo "== $name: running for $seconds s"
    "$program" -max_total_time="$seconds" -max_len=2048 -timeout=10 -rss_limit_mb=2048 -print_final_stats=1 \
        -artifact_prefix="$artifacts/$name-" "$found" "$corpus" \
        >"$scratch/$name.log" 2>&1
    status=$?
    grep -E '^stat::number_of_executed_units|^stat::average_exec|^Done|Fatal error|SUMMARY|cov:' "$scratch/$name.log" |
        tail -n 6
    if [ "$status" -ne 0 ]; then
        echo "== $name: FAILED ($status), see $scratch/$name.log and $artifacts"
        failed=1
    fi
done
exit "$failed"
