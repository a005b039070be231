"""A CONNECT proxy that lets in who proves to know a password by NTLMv2; pyspnego is the judge.

    ntlm_proxy.py [CERTIFICATE KEY]

With a certificate it speaks TLS, and wants the answer bound to that connection. NTLM_USER_FILE names the users
(`DOMAIN:user:password` a line). Prints `ready PORT`, then a line of JSON for each judgement.
"""

import base64
import hashlib
import json
import os
import socket
import ssl
import sys
import threading

import spnego
from spnego.channel_bindings import GssChannelBindings


def say(**event):
    print(json.dumps(event), flush=True)


def bindings(certificate):
    der = ssl.PEM_cert_to_DER_cert(open(certificate).read())
    return GssChannelBindings(application_data=b"tls-server-end-point:" + hashlib.sha256(der).digest())


def read_head(connection):
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        byte = connection.recv(1)
        if not byte:
            return None
        head += byte
    return head.decode("latin-1")


def refuse(connection, *challenges):
    lines = "".join(f"Proxy-Authenticate: {challenge}\r\n" for challenge in challenges)
    connection.sendall(f"HTTP/1.1 407 Who\r\n{lines}Content-Length: 4\r\n\r\nwho?".encode())


def judge(connection, binding):
    """Returns the target once somebody proved who he is."""
    context = None
    while True:
        head = read_head(connection)
        if head is None:
            return None
        target = head.split(" ")[1]
        given = next(
            (line.split(":", 1)[1].strip() for line in head.split("\r\n")
             if line.lower().startswith("proxy-authorization:")), "")
        scheme, _, token = given.partition(" ")
        if scheme.upper() != "NTLM":
            refuse(connection, "NTLM")
            continue
        if context is None:
            context = spnego.server(protocol="ntlm", channel_bindings=binding)
        try:
            answer = context.step(base64.b64decode(token))
        except Exception as error:
            say(event="rejected", reason=f"{type(error).__name__}: {error}")
            context = None
            refuse(connection, "NTLM")
            continue
        if context.complete:
            say(event="accepted", user=context.client_principal)
            return target
        refuse(connection, "NTLM " + base64.b64encode(answer).decode())


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
        target = judge(connection, binding)
        if target is None:
            return
        host, _, port = target.rpartition(":")
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
