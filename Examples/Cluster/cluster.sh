#!/usr/bin/env bash
# Three proxies on this machine and HAProxy in front of them, until the script is told to stop:
#
#     Examples/Cluster/cluster.sh [PORT [FLAG…]]    clients use http://127.0.0.1:PORT, 3128 unless told;
#                                                   the flags are each proxy's
#     kill -TERM PID                                of a proxy it names: new tunnels go to the others, and its
#                                                   open ones may finish
#
# The proxies' access logs come on standard output. Needs haproxy; uses CULVERT_BIN or builds.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
# Debian keeps haproxy there.
PATH=$PATH:/usr/sbin

if [ -z "${CULVERT_BIN-}" ]; then
    swift build --product culvert >&2
    CULVERT_BIN=$(swift build --show-bin-path)/culvert
fi
export CLUSTER_PORT=${1-3128}
shift || true
scratch=$(mktemp -d)
children=()

stop() {
    trap - EXIT INT TERM
    # A second signal does not wait for tunnels.
    for _ in 1 2; do
        kill "${children[@]}" 2>/dev/null || true
        sleep 0.2
    done
    wait
    rm -rf "$scratch"
}
trap stop EXIT
trap 'exit 0' INT TERM

# WORDS FILE: the port behind "WORDS on 127.0.0.1:" in what a proxy has said.
port() {
    local found
    for _ in $(seq 300); do
        found=$(sed -n "s/^culvert proxy: $1 on 127\.0\.0\.1:\([0-9]*\)\$/\1/p" "$2")
        if [ -n "$found" ]; then
            echo "$found"
            return
        fi
        sleep 0.1
    done
    cat "$2" >&2
    return 1
}

for number in 1 2 3; do
    said=$scratch/proxy$number
    # For some seconds after the signal it still accepts, while HAProxy finds out. HAProxy says whose connection it is.
    "$CULVERT_BIN" proxy --listen 127.0.0.1:0 --proxy-protocol-from 127.0.0.1/32 --admin 127.0.0.1:0 \
        --drain-delay 5 --drain-timeout 3600 "$@" 2>"$said" &
    children+=("$!")
    proxy=$(port listening "$said")
    admin=$(port "admin listener" "$said")
    export "PROXY_PORT_$number=$proxy" "ADMIN_PORT_$number=$admin"
    echo "cluster: proxy $number is pid ${children[-1]} on port $proxy, its status page is http://127.0.0.1:$admin/"
done

haproxy -db -f Examples/Cluster/haproxy.cfg &
children+=("$!")
echo "cluster: clients use http://127.0.0.1:$CLUSTER_PORT"
wait "${children[-1]}"
