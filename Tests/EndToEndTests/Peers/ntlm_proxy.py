"""A proxy for tunnels and plain requests that lets in who proves to know a password by NTLMv2; pyspnego is the judge.

    ntlm_proxy.py [CERTIFICATE KEY]

With a certificate it speaks TLS, and wants the answer bound to that connection. NTLM_USER_FILE names the users
(`DOMAIN:user:password` a line). NTLM_PROXY_TUNNELS=no refuses CONNECT; NTLM_PROXY_REQUESTS=N closes a connection under its
request behind the N-th, unanswered. Prints `ready PORT`, then a line of JSON for each event.
"""

import base64
import hashlib
import http.client
import json
import os
import socket
import ssl
import sys
import threading
import urllib.parse

import spnego
from spnego.channel_bindings import GssChannelBindings


def say(**event):
    print(json.dumps(event), flush=True)


def bindings(certificate):
    der = ssl.PEM_cert_to_DER_cert(open(certificate).read())
    return GssChannelBindings(application_data=b"tls-server-end-point:" + hashlib.sha256(der).digest())


class Request:
    """One request with its body, which is read before anything is answered."""

    def __init__(self, connection, head):
        lines = head.split("\r\n")
        self.method, self.target, _ = lines[0].split(" ")
        self.fields = {}
        for line in filter(None, lines[1:]):
            name, _, value = line.partition(":")
            self.fields[name.lower()] = value.strip()
        self.body = b""
        if self.fields.get("transfer-encoding") == "chunked":
            while size := int(read_until(connection, b"\r\n"), 16):
                self.body += read(connection, size + 2)[:-2]
            read_until(connection, b"\r\n")
        elif self.method != "CONNECT":
            if self.fields.get("expect"):
                connection.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
            self.body = read(connection, int(self.fields.get("content-length", 0)))


def read(connection, count):
    data = b""
    while len(data) < count:
        piece = connection.recv(count - len(data))
        if not piece:
            raise OSError("cut off inside a body")
        data += piece
    return data


def read_until(connection, end):
    head = b""
    while not head.endswith(end):
        byte = connection.recv(1)
        if not byte:
            return None
        head += byte
    return head.decode("latin-1")


def read_request(connection):
    head = read_until(connection, b"\r\n\r\n")
    return head and Request(connection, head)


def refuse(connection, request, *challenges):
    say(event="challenged", method=request.method)
    lines = "".join(f"Proxy-Authenticate: {challenge}\r\n" for challenge in challenges)
    body = "" if request.method == "HEAD" else "who?"
    connection.sendall(f"HTTP/1.1 407 Who\r\n{lines}Content-Length: 4\r\n\r\n{body}".encode())


def judge(connection, binding):
    """Returns the request of who proved to be somebody."""
    context = None
    while request := read_request(connection):
        scheme, _, token = request.fields.get("proxy-authorization", "").partition(" ")
        if scheme.upper() != "NTLM":
            refuse(connection, request, "NTLM")
            continue
        if context is None:
            context = spnego.server(protocol="ntlm", channel_bindings=binding)
        try:
            answer = context.step(base64.b64decode(token))
        except Exception as error:
            say(event="rejected", reason=f"{type(error).__name__}: {error}")
            context = None
            refuse(connection, request, "NTLM")
            continue
        if context.complete:
            say(event="accepted", user=context.client_principal)
            return request
        refuse(connection, request, "NTLM " + base64.b64encode(answer).decode())


def forward(connection, request):
    """What passes on an authenticated connection needs no proof of its own."""
    say(event="forwarded", method=request.method, proves="proxy-authorization" in request.fields)
    url = urllib.parse.urlsplit(request.target)
    own = ("connection", "proxy-connection", "proxy-authorization", "content-length", "transfer-encoding", "expect")
    fields = {name: value for name, value in request.fields.items() if name not in own}
    origin = http.client.HTTPConnection(url.netloc)
    origin.request(
        request.method, urllib.parse.urlunsplit(("", "", url.path or "/", url.query, "")), request.body or None, fields)
    answer = origin.getresponse()
    body = answer.read()
    origin.close()
    head = f"HTTP/1.1 {answer.status} {answer.reason}\r\nContent-Length: {len(body)}\r\n\r\n"
    connection.sendall(head.encode() + body)


def pump(source, sink):
    try:
        while data := source.recv(65536):
            sink.sendall(data)
    except OSError:
        pass
    try:
        sink.shutdown(socket.SHUT_WR)
    except OSError:
        pass


def serve(connection, wrap, binding):
    try:
        connection = wrap(connection)
        say(event="connected")
        request = judge(connection, binding)
        left = int(os.environ.get("NTLM_PROXY_REQUESTS", 1_000_000))
        while request and request.method != "CONNECT" and left > 0:
            forward(connection, request)
            left -= 1
            request = read_request(connection)
        if not request or request.method != "CONNECT":
            return
        if os.environ.get("NTLM_PROXY_TUNNELS") == "no":
            say(event="denied")
            connection.sendall(b"HTTP/1.1 403 No\r\nContent-Length: 0\r\n\r\n")
            return
        host, _, port = request.target.rpartition(":")
        upstream = socket.create_connection((host.strip("[]"), int(port)))
        connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        back = threading.Thread(target=pump, args=(upstream, connection))
        back.start()
        pump(connection, upstream)
        back.join()
        upstream.close()
    except (OSError, ssl.SSLError) as error:
        say(event="lost", reason=str(error))
    finally:
        connection.close()


def main():
    wrap, binding = (lambda plain: plain), None
    if len(sys.argv) == 3:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(sys.argv[1], sys.argv[2])
        binding = bindings(sys.argv[1])
        wrap = lambda plain: context.wrap_socket(plain, server_side=True)
    assert os.environ["NTLM_USER_FILE"]
    listener = socket.create_server(("127.0.0.1", 0))
    print("ready", listener.getsockname()[1], flush=True)
    while True:
        connection, _ = listener.accept()
        threading.Thread(target=serve, args=(connection, wrap, binding), daemon=True).start()


main()
