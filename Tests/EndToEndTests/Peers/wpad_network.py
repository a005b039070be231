# Runs a command in a network of its own, where WPAD answers. In new user, network and mount namespaces:
#
#     unshare --map-root-user --net --mount python3 wpad_network.py SEARCH NAME SCRIPT COMMAND...
#
# The resolver completes names by the domains SEARCH and asks a name server that knows NAME and nothing else. There,
# http://NAME/wpad.dat is SCRIPT, and the same port is the proxy 127.0.0.1:80. Standard error tells the names that were
# asked for ("asked NAME") and the requests ("served METHOD TARGET HOST").

import fcntl
import http.server
import os
import socket
import struct
import subprocess
import sys
import tempfile
import threading

search, name, script, *command = sys.argv[1:]


def tell(*words):
    print(*words, file=sys.stderr, flush=True)


def raise_loopback():
    SIOCSIFFLAGS, IFF_UP = 0x8914, 1
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        fcntl.ioctl(any_socket, SIOCSIFFLAGS, struct.pack("16sh14x", b"lo", IFF_UP))


def use_name_server():
    with tempfile.NamedTemporaryFile("w") as file:
        file.write(f"nameserver 127.0.0.1\nsearch {search}\noptions timeout:2 attempts:2\n")
        file.flush()
        os.chmod(file.name, 0o644)
        subprocess.run(["mount", "--bind", file.name, os.path.realpath("/etc/resolv.conf")], check=True)


def question(query):
    labels, at = [], 12
    while query[at]:
        labels.append(query[at + 1 : at + 1 + query[at]].decode())
        at += 1 + query[at]
    return ".".join(labels), struct.unpack_from(">H", query, at + 1)[0], query[12 : at + 5]


def serve_names(server):
    A = 1
    while True:
        query, client = server.recvfrom(512)
        asked, kind, section = question(query)
        tell("asked", asked)
        known = asked.lower() == name
        answer = struct.pack(">HHHIH4s", 0xC00C, A, 1, 60, 4, bytes([127, 0, 0, 1])) if known and kind == A else b""
        flags = 0x8580 if known else 0x8583
        head = query[:2] + struct.pack(">HHHHH", flags, 1, 1 if answer else 0, 0, 0)
        server.sendto(head + section + answer, client)


class Web(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        tell("served", self.command, self.path, self.headers["Host"])
        body = script if self.path == "/wpad.dat" else "through the script's proxy\n"
        self.send_response(200)
        self.send_header("Content-Type", "application/x-ns-proxy-autoconfig")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body.encode())

    def do_CONNECT(self):
        tell("served", self.command, self.path, self.headers["Host"])
        self.wfile.write(b"HTTP/1.1 200 OK\r\n\r\nthrough the script's proxy\n")
        self.close_connection = True

    def log_message(self, *_):
        pass


raise_loopback()
use_name_server()
names = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
names.bind(("127.0.0.1", 53))
web = http.server.ThreadingHTTPServer(("127.0.0.1", 80), Web)
for serve in (lambda: serve_names(names), web.serve_forever):
    threading.Thread(target=serve, daemon=True).start()
sys.exit(subprocess.run(command).returncode)
