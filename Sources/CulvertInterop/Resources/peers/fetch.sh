#!/bin/sh
# A GET with a command line client through an HTTP proxy: fetch.sh curl|wget URL PROXY CA
set -u
client=$1 url=$2 proxy=$3 authority=$4
errors=$(mktemp)
trap 'rm -f "$errors"' EXIT

case "$client" in
curl)
    body=$(curl --silent --show-error --max-time 20 --noproxy '' --proxy "$proxy" --cacert "$authority" \
        "$url" 2>"$errors")
    ;;
wget)
    body=$(wget --no-verbose --tries=1 --timeout=20 --no-config -e use_proxy=yes -e "https_proxy=$proxy" -e no_proxy= \
        --ca-certificate="$authority" --output-document=- "$url" 2>"$errors")
    ;;
esac
status=$?

if [ "$status" -eq 0 ] && [ "$body" = hello ]; then
    echo "pass get"
else
    echo "fail get exit status $status: $(tr '\n' ' ' <"$errors" | cut -c1-200)"
fi
