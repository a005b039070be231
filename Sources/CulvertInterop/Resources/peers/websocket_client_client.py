"""Python's websocket-client through an HTTP proxy: websocket_client_client.py URL PROXY CA"""

import os
import struct
import sys
import urllib.parse

# The package leaves loopback out of the proxy unless an empty list says otherwise.
os.environ["no_proxy"] = os.environ["NO_PROXY"] = ""

import websocket
from client_checks import BINARY, FRAGMENTS, TEXT, check, pattern, same

url, proxy, authority = sys.argv[1:]
hop = urllib.parse.urlsplit(proxy)


def opened():
    return websocket.create_connection(
        url,
        timeout=20,
        sslopt={"ca_certs": authority},
        http_proxy_host=hop.hostname,
        http_proxy_port=hop.port,
        proxy_type="http",
        http_no_proxy=[""],
    )


def messages(socket):
    for name, text in [("text", TEXT), ("empty", "")]:
        with check(name):
            socket.send(text)
            same(socket.recv(), text)
    for name, data in [
        ("binary", BINARY), ("125", pattern(125)), ("126", pattern(126)), ("65535", pattern(65535)),
        ("65536", pattern(65536)), ("16MB", pattern(1 << 24)),
    ]:
        with check(name):
            socket.send_binary(data)
            same(socket.recv(), data)
    with check("fragments"):
        first, second, third = FRAGMENTS
        frame = websocket.ABNF.create_frame
        socket.send_frame(frame(first, websocket.ABNF.OPCODE_TEXT, 0))
        socket.send_frame(frame(second, websocket.ABNF.OPCODE_CONT, 0))
        socket.send_frame(frame(third, websocket.ABNF.OPCODE_CONT, 1))
        same(socket.recv(), "".join(FRAGMENTS))
    with check("ping"):
        socket.ping("culvert")
        opcode, frame = socket.recv_data_frame(control_frame=True)
        same(str(opcode), str(websocket.ABNF.OPCODE_PONG))
        same(frame.data, b"culvert")


def close(code):
    socket = opened()
    socket.send_close(code, b"done")
    opcode, frame = socket.recv_data_frame(control_frame=True)
    same(str(opcode), str(websocket.ABNF.OPCODE_CLOSE))
    same(str(struct.unpack("!H", frame.data[:2])[0]), str(code))
    socket.shutdown()


with check("open"):
    socket = opened()
    messages(socket)
    socket.close()
for code in (1000, 3000):
    with check(f"close-{code}"):
        close(code)
