"""Tunnels through a proxy, opened and ended without pause: soak.py CULVERT [--minutes N] [--tunnels N]

Starts the proxy, and a process of origins that echo. Then so many workers each open a tunnel, send through it, check
what comes back, keep it open for a while and end it in one of the ways a client can. The figures are the proxy's
own (/metrics) and the kernel's (/proc).
"""

import argparse
import asyncio
import multiprocessing
import os
import random
import re
import resource
import socket
import struct
import subprocess
import sys
import time
import urllib.request

# Each pair of addresses has its own 28,000 ports, and a port rests for a minute after its connection.
ORIGINS = [f"127.0.1.{number}" for number in range(1, 17)]
CLIENTS = [f"127.0.2.{number}" for number in range(1, 17)]
PIECE = os.urandom(16 * 1024)
SAMPLE_SECONDS = 5


def raise_limit():
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return hard


class Echo(asyncio.Protocol):
    def connection_made(self, transport):
        self.transport = transport
        transport.set_write_buffer_limits(high=256 * 1024)

    def data_received(self, data):
        self.transport.write(data)

    def pause_writing(self):
        self.transport.pause_reading()

    def resume_writing(self):
        self.transport.resume_reading()


def serve_origins(ports):
    async def serve():
        loop = asyncio.get_running_loop()
        servers = [await loop.create_server(Echo, address, 0, backlog=4096) for address in ORIGINS]
        ports.send([server.sockets[0].getsockname()[:2] for server in servers])
        await asyncio.Event().wait()

    asyncio.run(serve())


class Proxy:
    def __init__(self, binary):
        self.process = subprocess.Popen(
            [binary, "proxy", "--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0", "--access-log", "/dev/null"],
            stderr=subprocess.PIPE, text=True,
        )
        self.port = self.admin = None
        while self.port is None or self.admin is None:
            line = self.process.stderr.readline()
            if not line:
                sys.exit("soak: the proxy did not start")
            if found := re.match(r"culvert proxy: (listening|admin listener) on 127\.0\.0\.1:(\d+)", line):
                if found[1] == "listening":
                    self.port = int(found[2])
                else:
                    self.admin = int(found[2])
        os.set_blocking(self.process.stderr.fileno(), False)

    def metrics(self):
        with urllib.request.urlopen(f"http://127.0.0.1:{self.admin}/metrics", timeout=60) as answer:
            lines = answer.read().decode().splitlines()
        return {name: float(value) for name, value in (line.rsplit(" ", 1) for line in lines if line[:1] != "#")}

    def descriptors(self):
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))

    def stop(self):
        self.process.terminate()
        return self.process.wait(60)


class Soak:
    def __init__(self, proxy, origins, tunnels, pause):
        self.proxy = proxy
        self.origins = origins
        self.tunnels = tunnels
        self.pause = pause
        self.errors = []
        self.opened = self.ended = 0
        self.isOver = False
        # Connections that are being opened: more would only wait in the backlog.
        self.opening = asyncio.Semaphore(256)

    async def tunnel(self, number):
        host, port = self.origins[number % len(self.origins)]
        async with self.opening:
            reader, writer = await asyncio.wait_for(
                asyncio.open_connection(
                    "127.0.0.1", self.proxy.port, local_addr=(CLIENTS[number % len(CLIENTS)], 0)), 60)
            writer.write(f"CONNECT {host}:{port} HTTP/1.1\r\nHost: {host}:{port}\r\n\r\n".encode())
            head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 60)
        if not head.startswith(b"HTTP/1.1 200 "):
            raise RuntimeError(head.split(b"\r\n")[0].decode())
        self.opened += 1
        try:
            for _ in range(2):
                writer.write(PIECE)
                if await asyncio.wait_for(reader.readexactly(len(PIECE)), 60) != PIECE:
                    raise RuntimeError("other bytes came back")
                if not self.isOver:
                    await asyncio.sleep(random.uniform(0, self.pause))
            await self.end(number, reader, writer)
        finally:
            writer.transport.abort()
            self.ended += 1

    async def end(self, number, reader, writer):
        match number % 4:
            case 0:
                # A half-close, and the rest is read to its end.
                writer.write_eof()
                if await asyncio.wait_for(reader.read(), 60):
                    raise RuntimeError("bytes that nobody sent")
            case 1:
                linger = struct.pack("ii", 1, 0)
                writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
            case 2:
                # With bytes under way.
                writer.write(PIECE)
            case _:
                writer.close()
                await writer.wait_closed()

    async def worker(self, number):
        while not self.isOver:
            try:
                await self.tunnel(number)
            except Exception as error:
                self.errors.append(f"{type(error).__name__}: {error}")
                await asyncio.sleep(1)
            number += self.tunnels

    async def run(self, seconds):
        before = self.proxy.descriptors()
        workers = [asyncio.create_task(self.worker(number)) for number in range(self.tunnels)]
        samples = []
        start = time.monotonic()
        print(f"{'time':>6} {'open':>6} {'opened':>9} {'per s':>7} {'MB/s':>7} {'RSS MB':>7} {'fds':>6} {'CPU %':>6} errors")
        last = await asyncio.to_thread(self.proxy.metrics)
        last_time = start
        while time.monotonic() - start < seconds:
            await asyncio.sleep(SAMPLE_SECONDS)
            now = await asyncio.to_thread(self.proxy.metrics)
            at = time.monotonic()
            samples.append((at - start, now))
            self.show(at - start, now, last, at - last_time)
            last, last_time = now, at
        self.isOver = True
        await asyncio.gather(*workers)
        return before, samples

    def show(self, at, now, last, seconds):
        def rate(name):
            return (now[name] - last[name]) / seconds

        moved = rate('culvert_bytes_total{direction="up"}') + rate('culvert_bytes_total{direction="down"}')
        print(
            f"{at:6.0f} {now['culvert_tunnels_open']:6.0f} {now['culvert_tunnels_opened_total']:9.0f} "
            f"{rate('culvert_tunnels_opened_total'):7.0f} {moved / 1e6:7.1f} "
            f"{now['process_resident_memory_bytes'] / 1e6:7.1f} {now['process_open_fds']:6.0f} "
            f"{rate('process_cpu_seconds_total') * 100:6.0f} {len(self.errors)}",
            flush=True,
        )


def settled(proxy, before):
    """The proxy's descriptors once every tunnel is gone."""
    deadline = time.monotonic() + 60
    while (count := proxy.descriptors()) > before and time.monotonic() < deadline:
        time.sleep(0.2)
    return count


def verdict(soak, samples, before, after, end):
    """Prints what was seen and returns whether it is good."""
    memory = [(at, now["process_resident_memory_bytes"] / 1e6) for at, now in samples]
    # The first third fills pools and free lists.
    settled = [value for at, value in memory if at > memory[-1][0] / 3]
    half = max(1, len(settled) // 2)
    first, second = sum(settled[:half]) / half, sum(settled[half:] or settled) / len(settled[half:] or settled)
    problems = []
    if soak.errors:
        problems.append(f"{len(soak.errors)} errors, the first: {soak.errors[0]}")
    if soak.opened == 0:
        problems.append("no tunnel was opened")
    if after > before:
        problems.append(f"{after - before} descriptors stayed open")
    # 5 % and 4 MB: an allocator's breath. A leak of 100 bytes a tunnel shows in ten minutes.
    if second > first * 1.05 + 4:
        problems.append(f"memory grew from {first:.1f} to {second:.1f} MB")
    if end["culvert_tunnels_open"] != 0:
        problems.append(f"{end['culvert_tunnels_open']:.0f} tunnels are still counted as open")
    print(
        f"soak: {soak.opened} tunnels opened and {soak.ended} ended, at most "
        f"{max(now['culvert_tunnels_open'] for _, now in samples):.0f} at a time; descriptors {before} before, "
        f"{after} after; memory {first:.1f} MB, then {second:.1f} MB; {len(soak.errors)} errors"
    )
    print("soak: " + ("; ".join(problems) if problems else "good"))
    return not problems


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("culvert")
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--tunnels", type=int, default=5000)
    parser.add_argument("--pause", type=float, default=25, help="how long a tunnel rests at most, twice, in seconds")
    options = parser.parse_args()
    if raise_limit() < options.tunnels * 2 + 1000:
        sys.exit(f"soak: {options.tunnels} tunnels need a limit of {options.tunnels * 2 + 1000} descriptors (ulimit -n)")

    receiver, sender = multiprocessing.Pipe(duplex=False)
    origin = multiprocessing.Process(target=serve_origins, args=[sender], daemon=True)
    origin.start()
    proxy = Proxy(options.culvert)
    try:
        async def soak_all():
            soak = Soak(proxy, receiver.recv(), options.tunnels, options.pause)
            # One tunnel first: what the first request needs for good is no leak.
            await soak.tunnel(3)
            await asyncio.sleep(1)
            return soak, *await soak.run(options.minutes * 60)

        soak, before, samples = asyncio.run(soak_all())
        after = settled(proxy, before)
        is_good = verdict(soak, samples, before, after, proxy.metrics())
    finally:
        status = proxy.stop()
        origin.terminate()
    if status != 0:
        print(f"soak: the proxy ended with {status}")
    sys.exit(0 if is_good and status == 0 else 1)


main()
