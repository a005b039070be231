#!/usr/bin/env bash
# Culvert's main job from end to end: a WebSocket with TLS that goes out through a forward proxy.
# Needs a Swift toolchain; installs the Debian packages it uses, builds, runs, cleans up. Exit status 0 means that
# every message came back.
set -euo pipefail
cd "$(dirname "$0")/.."

say() { printf '\n\033[1m%s\033[0m\n' "$*"; }
fail() { printf 'quickstart: %s\n' "$*" >&2; exit 1; }

command -v swift >/dev/null || fail "no swift on PATH; install a toolchain from https://www.swift.org/install first"

say "Installing what the build needs"
Tests/install.sh --build
command -v openssl >/dev/null || fail "please install openssl"

say "Building (the first time takes some minutes)"
swift build -c release --product culvert
bin=$(swift build -c release --show-bin-path)

work=$(mktemp -d)
pids=()
cleanup() {
    for pid in "${pids[@]}"; do kill "$pid" 2>/dev/null || true; done
    for pid in "${pids[@]}"; do wait "$pid" 2>/dev/null || true; done
    rm -rf "$work"
}
trap cleanup EXIT

# Waits for the line "… listening on ADDRESS:PORT" and prints the port.
port_of() {
    for _ in $(seq 100); do
        if line=$(grep -m1 'listening on' "$1" 2>/dev/null); then echo "${line##*:}"; return; fi
        sleep 0.1
    done
    cat "$1" >&2
    fail "$2 did not start"
}

say "Making a certificate authority and a certificate for localhost"
openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj "/CN=Quickstart CA" \
    -addext "basicConstraints=critical,CA:TRUE" -keyout "$work/ca.key" -out "$work/ca.pem" 2>/dev/null
openssl req -newkey rsa:2048 -nodes -subj "/CN=localhost" -keyout "$work/leaf.key" -out "$work/leaf.csr" 2>/dev/null
printf 'subjectAltName=DNS:localhost,IP:127.0.0.1\n' >"$work/san"
openssl x509 -req -in "$work/leaf.csr" -CA "$work/ca.pem" -CAkey "$work/ca.key" -CAcreateserial -days 2 \
    -extfile "$work/san" -out "$work/leaf.pem" 2>/dev/null

say "Starting a TLS echo server and the proxy"
"$bin/culvert" ws --listen 127.0.0.1:0 --echo --cert "$work/leaf.pem" --key "$work/leaf.key" >"$work/echo.out" 2>&1 &
pids+=($!)
"$bin/culvert" proxy --listen 127.0.0.1:0 >"$work/access.log" 2>"$work/proxy.err" &
pids+=($!)
echo_port=$(port_of "$work/echo.out" "culvert ws")
proxy_port=$(port_of "$work/proxy.err" "culvert proxy")
url=wss://localhost:$echo_port/
proxy=http://127.0.0.1:$proxy_port
echo "echo server: $url   proxy: $proxy"

say "Text: three messages through the tunnel"
printf 'hello\nthrough the culvert\n¡hola, señor túnel!\n' >"$work/sent.txt"
"$bin/culvert" ws "$url" --wait 2 --proxy "$proxy" --ca "$work/ca.pem" <"$work/sent.txt" | tee "$work/received.txt"
cmp "$work/sent.txt" "$work/received.txt" || fail "the text did not come back as it went"

say "Binary: 1 MiB of random bytes through the tunnel"
head -c 1048576 /dev/urandom >"$work/sent.bin"
"$bin/culvert" ws "$url" --binary --wait 2 --proxy "$proxy" --ca "$work/ca.pem" <"$work/sent.bin" >"$work/received.bin"
cmp "$work/sent.bin" "$work/received.bin" || fail "the bytes did not come back as they went"
echo "came back unchanged: $(sha256sum <"$work/received.bin" | cut -c1-16)…"

say "What crossed the proxy"
for _ in $(seq 50); do [ "$(wc -l <"$work/access.log")" -ge 2 ] && break; sleep 0.1; done
cat "$work/access.log"
[ "$(grep -c '"method":"CONNECT".*"status":200' "$work/access.log")" -eq 2 ] || fail "the access log misses a tunnel"

say "It works. Three things to try next:"
cat <<EOF
  $bin/culvert proxy                          # a proxy on 127.0.0.1:3128; then: curl -x http://127.0.0.1:3128 https://example.com
  $bin/culvert ws wss://echo.websocket.org    # a WebSocket; through a proxy with --proxy, or \$https_proxy
  ssh -o ProxyCommand='$bin/culvert connect %h:%p --proxy http://127.0.0.1:3128' user@host
EOF
