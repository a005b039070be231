"""Streams more than memory holds through `culvert ws`, and reads from the kernel how much memory that took.

Run it through Tests/bigstream.sh, which builds first. The other side is plain sockets, here.
"""

import argparse
import base64
import hashlib
import pathlib
import socket
import struct
import subprocess
import sys
import threading
import time

GB = 10**9
MESSAGE = 1 << 16
# Peak resident memory, for any amount.
MOST_MEMORY = 64 << 20
# What the kernel's buffers on the way and the watermarks hold while nobody reads.
MOST_UNREAD = 64 << 20
READ_NOTHING = 3
# Then a pause after so many bytes.
STRIDE, PAUSE = 32 << 20, 0.05
PATIENCE = 900


def head(length, masked):
    mask, key = (0x80, b"\0\0\0\0") if masked else (0, b"")
    if length < 126:
        return struct.pack("!BB", 0x82, mask | length) + key
    if length < 65536:
        return struct.pack("!BBH", 0x82, mask | 126, length) + key
    return struct.pack("!BBQ", 0x82, mask | 127, length) + key


def read_head(connection):
    text = b""
    while not text.endswith(b"\r\n\r\n"):
        byte = connection.recv(1)
        if not byte:
            raise RuntimeError("the connection ended in the upgrade")
        text += byte
    return text.decode()


def accept(connection):
    fields = dict(line.split(": ", 1) for line in read_head(connection).split("\r\n")[1:] if ": " in line)
    key = {name.lower(): value for name, value in fields.items()}["sec-websocket-key"]
    digest = hashlib.sha1((key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11").encode()).digest()
    answer = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    connection.sendall(f"{answer}Sec-WebSocket-Accept: {base64.b64encode(digest).decode()}\r\n\r\n".encode())


class Sender(threading.Thread):
    """Sends frames of one length until the total is out, then a close frame."""

    def __init__(self, connection, total, frame, masked, opening=None):
        super().__init__(daemon=True)
        self.connection, self.total, self.frame, self.masked, self.opening = connection, total, frame, masked, opening
        self.sent = 0
        self.error = None

    def run(self):
        try:
            if self.opening:
                self.connection = self.opening(self.connection)
            self.send()
        except (OSError, RuntimeError) as error:
            self.error = error

    def send(self):
        piece = min(self.frame, 1 << 20)
        payload = b"\xa5" * piece
        while self.sent < self.total:
            self.connection.sendall(head(self.frame, self.masked))
            for _ in range(self.frame // piece):
                self.connection.sendall(payload)
                self.sent += piece
        self.connection.sendall(b"\x88\x82" + bytes(4) + b"\x03\xe8" if self.masked else b"\x88\x02\x03\xe8")


class Reader:
    """Counts what comes, as fast as it comes or slowly."""

    def __init__(self, read, sender, is_slow):
        self.read, self.sender, self.is_slow = read, sender, is_slow
        self.count = 0
        self.unread = 0

    def run(self):
        if self.is_slow:
            time.sleep(READ_NOTHING)
            self.unread = self.sender.sent
        pause = STRIDE
        while data := self.read(1 << 20):
            self.count += len(data)
            if self.is_slow and self.count >= pause:
                pause += STRIDE
                time.sleep(PAUSE)


def peak(process):
    for line in pathlib.Path(f"/proc/{process}/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) << 10
    return 0


class Peak(threading.Thread):
    """The high-water mark of a process that may end at any time."""

    def __init__(self, process):
        super().__init__(daemon=True)
        self.process = process
        self.bytes = 0
        self.start()

    def run(self):
        while self.process.poll() is None:
            try:
                self.bytes = max(self.bytes, peak(self.process.pid))
            except OSError:
                return
            time.sleep(0.02)


def report(name, total, count, expected, memory, reader, seconds, error):
    problems = []
    if error:
        problems.append(f"the sender: {error}")
    if count != expected:
        problems.append(f"{count:,} bytes came of {expected:,}")
    if not 0 < memory < MOST_MEMORY:
        problems.append(f"more memory than {MOST_MEMORY >> 20} MiB")
    if reader.unread >= MOST_UNREAD:
        problems.append(f"{reader.unread >> 20} MiB were taken while nobody read")
    verdict = "FAILED: " + "; ".join(problems) if problems else "ok"
    unread = f"; {reader.unread / 2**20:.1f} MiB under way while nobody read" if reader.is_slow else ""
    print(f"{name}: {total / GB:.2f} GB in {seconds:.0f} s, VmHWM {memory / 2**20:.1f} MiB{unread}: {verdict}", flush=True)
    return not problems


def to_client(culvert, name, total, frame, options, is_slow):
    """A server of ours sends; `culvert ws` writes what comes to a pipe that is read here."""
    began = time.monotonic()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(30)

        def opening(listener):
            connection, _ = listener.accept()
            connection.settimeout(PATIENCE)
            accept(connection)
            return connection

        sender = Sender(listener, total, frame, masked=False, opening=opening)
        sender.start()
        url = f"ws://127.0.0.1:{listener.getsockname()[1]}/"
        command = [culvert, "ws", url, "--proxy", "none", "--binary", *options]
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0)
        try:
            memory = Peak(process)
            reader = Reader(process.stdout.read, sender, is_slow)
            reader.run()
            status = process.wait(60)
            sender.join(60)
        finally:
            process.kill()
            process.wait()
        error = sender.error or (f"culvert ws ended with {status}" if status else None)
        return report(name, total, reader.count, sender.total, memory.bytes, reader, time.monotonic() - began, error)


def through_server(culvert, name, total):
    """`culvert ws --listen --echo` sends back what we send, and we are slow to read it."""
    began = time.monotonic()
    command = [culvert, "ws", "--listen", "127.0.0.1:0", "--echo"]
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    try:
        line = process.stdout.readline().decode()
        port = int(line.strip().rpartition(":")[2].rstrip("/"))
        threading.Thread(target=process.stdout.read, daemon=True).start()
        memory = Peak(process)
        connection = socket.create_connection(("127.0.0.1", port), 30)
        connection.settimeout(PATIENCE)
        request = "GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        request += "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
        connection.sendall(request.encode())
        if " 101 " not in read_head(connection).split("\r\n")[0]:
            raise RuntimeError("the server did not upgrade")
        sender = Sender(connection, total, MESSAGE, masked=True)
        sender.start()
        reader = Reader(connection.recv, sender, is_slow=True)
        reader.run()
        sender.join(60)
    finally:
        process.terminate()
        process.wait(30)
    # Every frame has a head of its own, and the close frame is answered.
    frames = sender.total // MESSAGE
    expected = sender.total + frames * len(head(MESSAGE, masked=False)) + 4
    return report(
        name, total, reader.count, expected, memory.bytes, reader, time.monotonic() - began, sender.error)


def main():
    parser = argparse.ArgumentParser(prog="bigstream.sh", description=__doc__.splitlines()[0])
    parser.add_argument("--frame", type=float, default=4, metavar="GB", help="the message in one frame (4)")
    parser.add_argument("--firehose", type=float, default=10, metavar="GB", help="the messages of 64 KiB together (10)")
    parser.add_argument("--culvert", metavar="FILE", required="--help" not in sys.argv, help="the program")
    arguments = parser.parse_args()
    # Whole pieces and whole messages.
    frame = int(arguments.frame * GB) >> 20 << 20
    firehose = int(arguments.firehose * GB) >> 16 << 16
    culvert = arguments.culvert
    passed = [
        to_client(culvert, "one frame, in chunks", frame, frame, ["--stream"], is_slow=False),
        to_client(culvert, "firehose, slow reader", firehose, MESSAGE, [], is_slow=True),
        through_server(culvert, "firehose through an echo server, slow reader", firehose),
    ]
    sys.exit(0 if all(passed) else 1)


main()
