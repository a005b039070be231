#!/usr/bin/env bash
# Installs what the build and the end-to-end tests use, by name: distribution packages through apt, PyPI
# packages into a virtual environment of our own. Does nothing, quickly, when all of it is there.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

packages=(
    # The tools the tests drive.
    ca-certificates curl git openssl openssh-client
    # Origins and WebSocket servers.
    openssh-server nodejs node-ws python3 python3-venv
    # Proxies. squid-openssl is Squid with a TLS port; apache2-bin is Apache without the service.
    squid-openssl tinyproxy-bin apache2-bin
    # Gives sshd a login shell for the unprivileged user it runs as when the tests run as root.
    libnss-wrapper
)
pypi=(websockets==17.4)
venv=.build/peers/venv

if [ "$(uname -s)" != Linux ] || ! command -v apt-get >/dev/null; then
    echo "install: no apt-get here; end-to-end tests whose peers are missing are skipped"
    packages=()
fi

sudo=()
if [ "$(id -u)" -ne 0 ]; then sudo=(sudo -n); fi

missing=()
for package in "${packages[@]}"; do
    # Node is often installed from elsewhere under the same name; the command is what counts.
    case "$package" in
    nodejs) command -v node >/dev/null && continue ;;
    python3) command -v python3 >/dev/null && continue ;;
    esac
    status=$(dpkg-query -W -f '${Status}' "$package" 2>/dev/null || true)
    [ "$status" = "install ok installed" ] || missing+=("$package")
done

if [ "${#missing[@]}" -gt 0 ]; then
    echo "install: apt-get install ${missing[*]}"
    # The daemons are wanted as programs, not as services of this machine.
    policy=/usr/sbin/policy-rc.d
    if [ ! -e "$policy" ]; then
        printf '#!/bin/sh\nexit 101\n' | "${sudo[@]}" tee "$policy" >/dev/null
        "${sudo[@]}" chmod 755 "$policy"
        trap '"${sudo[@]}" rm -f "$policy"' EXIT
    fi
    "${sudo[@]}" apt-get update -qq
    "${sudo[@]}" env DEBIAN_FRONTEND=noninteractive \
        apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
fi

wanted=$(printf '%s\n' "${pypi[@]}")
if [ ! -x "$venv/bin/python" ] || [ "$(cat "$venv/installed" 2>/dev/null)" != "$wanted" ]; then
    echo "install: pip install ${pypi[*]}"
    mkdir -p "$(dirname "$venv")"
    rm -rf "$venv"
    python3 -m venv "$venv"
    "$venv/bin/python" -m pip install --quiet --disable-pip-version-check "${pypi[@]}"
    printf '%s\n' "$wanted" >"$venv/installed"
fi
