"""A CONNECT proxy that answers in one named odd way, then is the origin itself: an echo until end of input.

    scripted_proxy.py ODDITY        runs one on a free loopback port and prints `ready PORT`
    scripted_proxy.py --list        prints the names

What it saw goes to standard output, one JSON object per line:
{"event": "head", "text": …, "receives": N, "connection": N} for every request head, and
{"event": "tunnel", "received": N, "connection": N} when a tunnel ends.
"""

import base64
import json
import socket
import struct
import sys
import threading
import time

OK = b"HTTP/1.1 200 Connection established\r\n\r\n"
BANNER = b"SSH-2.0-OpenSSH_9.2\r\n220 mail.example ESMTP\r\n"
CREDENTIALS = base64.b64encode(b"alice:secret").decode()
BODY = b"<html><body><h1>Proxy authentication required</h1>" + b"x" * 3000 + b"</body></html>"

# What is sent for a CONNECT, whole; the tunnel is open behind it. EARLY is appended to the same write.
ACCEPTING = {
    "http-1.0": b"HTTP/1.0 200 Connection established\r\n\r\n",
    "no-reason": b"HTTP/1.1 200\r\n\r\n",
    "no-reason-but-a-space": b"HTTP/1.1 200 \r\n\r\n",
    "status-201": b"HTTP/1.1 201 Created\r\n\r\n",
    "status-204": b"HTTP/1.1 204 No Content\r\n\r\n",
    "status-299": b"HTTP/1.1 299 Fine\r\n\r\n",
    "content-length-on-200": b"HTTP/1.1 200 OK\r\nContent-Length: 17\r\n\r\n",
    "content-length-zero-on-200": b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
    "transfer-encoding-on-200": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
    "connection-close-on-200": b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n",
    "one-1xx-first": b"HTTP/1.1 100 Continue\r\n\r\n" + OK,
    "several-1xx-first": b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 102 Processing\r\nX-Step: 1\r\n\r\n"
    + b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"
    + OK,
    "lf-only": b"HTTP/1.1 200 OK\nVia: 1.1 old\n\n",
    "blank-line-first": b"\r\n" + OK,
    "folded-field": b"HTTP/1.1 200 OK\r\nX-Long: begins\r\n  and goes on\r\n\tand on\r\n\r\n",
    "line-without-colon": b"HTTP/1.1 200 OK\r\nthis line has none\r\nVia: 1.1 old\r\n\r\n",
    "6-kb-line": b"HTTP/1.1 200 OK\r\nX-Long: " + b"a" * 6144 + b"\r\n\r\n",
    "20-kb-head": b"HTTP/1.1 200 OK\r\n" + b"".join(b"X-%d: %s\r\n" % (n, b"b" * 990) for n in range(20)) + b"\r\n",
}

CHALLENGE = b'Proxy-Authenticate: Basic realm="office"\r\n'
LENGTH = b"Content-Length: %d\r\n" % len(BODY)
# The answer to a CONNECT without the right credentials, and whether the connection goes on behind it.
CHALLENGING = {
    "407-length-keep-alive": (
        b"HTTP/1.1 407 Proxy Authentication Required\r\nConnection: keep-alive\r\n" + CHALLENGE + LENGTH + b"\r\n" + BODY,
        True,
    ),
    "407-empty-body": (b"HTTP/1.1 407 Nope\r\n" + CHALLENGE + b"Content-Length: 0\r\n\r\n", True),
    "407-chunked": (
        b"HTTP/1.1 407 Nope\r\nTransfer-Encoding: chunked\r\n"
        + CHALLENGE
        + b"\r\n5\r\nhello\r\n10;note=x\r\n0123456789abcdef\r\n0\r\nX-Trailer: y\r\n\r\n",
        True,
    ),
    "407-until-close": (b"HTTP/1.1 407 Nope\r\n" + CHALLENGE + b"\r\n" + BODY, False),
    "407-connection-close": (
        b"HTTP/1.1 407 Nope\r\nConnection: close\r\n" + CHALLENGE + LENGTH + b"\r\n" + BODY,
        False,
    ),
    "407-http-1.0-proxy-connection": (
        b"HTTP/1.0 407 Nope\r\nProxy-Connection: keep-alive\r\n" + CHALLENGE + LENGTH + b"\r\n" + BODY,
        True,
    ),
    "407-http-1.0": (b"HTTP/1.0 407 Nope\r\n" + CHALLENGE + LENGTH + b"\r\n" + BODY, False),
    "407-challenges-on-lines": (
        b"HTTP/1.1 407 Nope\r\nProxy-Authenticate: Future token68==\r\n" + CHALLENGE + LENGTH + b"\r\n" + BODY,
        True,
    ),
    "407-challenges-comma-joined": (
        b'HTTP/1.1 407 Nope\r\nProxy-Authenticate: Future a="1, Basic realm=x", b=2, basic Realm="a \\"b\\", c"\r\n'
        + LENGTH
        + b"\r\n"
        + BODY,
        True,
    ),
}

# The answer, and how the connection ends behind it.
REFUSING = {
    "403-with-body": (b"HTTP/1.1 403 Forbidden\r\nContent-Length: 26\r\n\r\nblocked by company policy\n", "stay"),
    "502-until-close": (b"HTTP/1.0 502 Bad Gateway\r\n\r\nno route to host\n", "close"),
    "503-chunked": (b"HTTP/1.1 503 Busy\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nbusy\r\n0\r\n\r\n", "stay"),
    "redirect": (b"HTTP/1.1 302 Found\r\nLocation: http://login.example/\r\nContent-Length: 0\r\n\r\n", "stay"),
    "101-to-connect": (b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n", "stay"),
    "407-without-challenge": (b"HTTP/1.1 407 Nope\r\nContent-Length: 0\r\n\r\n", "stay"),
    "407-unknown-scheme": (
        b"HTTP/1.1 407 Nope\r\nProxy-Authenticate: Future x=1\r\nContent-Length: 0\r\n\r\n",
        "stay",
    ),
    "407-always": (b"HTTP/1.1 407 Nope\r\n" + CHALLENGE + b"Content-Length: 0\r\n\r\n", "stay"),
    "html-before-status": (b"<html><body>welcome to the portal</body></html>\r\n" + OK, "stay"),
    "another-protocol": (BANNER, "stay"),
    "close-in-head": (b"HTTP/1.1 200 Connection est", "close"),
    "close-at-once": (b"", "close"),
    "reset-in-head": (b"HTTP/1.1 200 OK\r\nVia", "reset"),
    "endless-head": (b"HTTP/1.1 200 OK\r\n" + b"X-More: and more\r\n" * 60000, "stay"),
    "endless-line": (b"HTTP/1.1 200 OK\r\nX-More: " + b"m" * 1000000, "stay"),
    "endless-1xx": (b"HTTP/1.1 100 Continue\r\n\r\n" * 5000, "stay"),
    "never-answers": (b"", "stay"),
    "stops-in-head": (b"HTTP/1.1 200 OK\r\nVia: 1.1 stuck\r\n", "stay"),
}

# The same answer with the tunnel's first bytes in the same packet, and in pieces of one byte.
EARLY = {f"{name}+early-bytes": answer + BANNER for name, answer in ACCEPTING.items()}
SLOW = {
    "byte-per-packet": OK,
    "byte-per-packet+early-bytes": OK + BANNER,
    "byte-per-packet-lf-only": ACCEPTING["lf-only"],
    "byte-per-packet-several-1xx": ACCEPTING["several-1xx-first"],
}

lock = threading.Lock()
connections = 0


def record(**event):
    with lock:
        print(json.dumps(event), flush=True)


def serve(client, oddity):
    global connections
    client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    with lock:
        connections += 1
        connection = connections
    data = b""
    while True:
        receives = 0
        while b"\r\n\r\n" not in data:
            piece = client.recv(65536)
            if not piece:
                return
            data += piece
            receives += 1
        head, _, data = data.partition(b"\r\n\r\n")
        record(event="head", text=head.decode("latin-1"), receives=receives, connection=connection)

        if oddity in CHALLENGING:
            if f"\r\nproxy-authorization: basic {CREDENTIALS}\r\n".lower() in (head.decode("latin-1") + "\r\n").lower():
                client.sendall(OK)
                return echo(client, data, connection)
            answer, keeps = CHALLENGING[oddity]
            client.sendall(answer)
            if keeps:
                continue
            return
        if oddity in REFUSING:
            answer, ending = REFUSING[oddity]
            try:
                client.sendall(answer)
            except OSError:
                return
            if ending == "reset":
                # Lets what was sent arrive before the reset throws it away.
                time.sleep(0.1)
                client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            if ending != "stay":
                return
            continue
        if oddity in SLOW:
            for byte in SLOW[oddity]:
                client.sendall(bytes([byte]))
                time.sleep(0.001)
        else:
            client.sendall(ACCEPTING.get(oddity) or EARLY[oddity])
        return echo(client, data, connection)


def echo(client, data, connection):
    received = 0
    while data or (data := client.recv(65536)):
        received += len(data)
        client.sendall(data)
        data = b""
    client.shutdown(socket.SHUT_WR)
    record(event="tunnel", received=received, connection=connection)


def guarded(client, oddity):
    with client:
        try:
            serve(client, oddity)
        except OSError:
            pass


def main():
    if sys.argv[1] == "--list":
        for kind, table in [
            ("accepts", ACCEPTING), ("accepts", EARLY), ("accepts", SLOW), ("challenges", CHALLENGING), ("refuses", REFUSING),
        ]:
            for name in table:
                print(kind, name)
        return
    oddity = sys.argv[1]
    if not any(oddity in table for table in (ACCEPTING, CHALLENGING, REFUSING, EARLY, SLOW)):
        sys.exit(f"no oddity named {oddity}")
    server = socket.create_server(("127.0.0.1", 0), backlog=128)
    print("ready", server.getsockname()[1], flush=True)
    while True:
        client, _ = server.accept()
        threading.Thread(target=guarded, args=(client, oddity), daemon=True).start()


main()
