"""A load on an echo server by Python's `websockets`: websockets_client.py URL CONNECTIONS BYTES SECONDS AUTHORITY"""

import asyncio
import ssl
import sys
import time

from websockets.asyncio.client import connect


class Load:
    def __init__(self, url, connections, size, authority):
        self.url = url
        self.connections = connections
        self.message = b"x" * size
        self.context = ssl.create_default_context(cafile=authority) if url.startswith("wss:") else None
        self.rounds = 0
        self.ends = False

    async def talk(self, opened, started):
        async with connect(self.url, ssl=self.context, compression=None, proxy=None) as connection:
            opened.release()
            await started.wait()
            while not self.ends:
                await connection.send(self.message)
                if len(await connection.recv()) != len(self.message):
                    sys.exit("the echo is not what was sent")
                self.rounds += 1

    async def run(self, seconds):
        opened, started = asyncio.Semaphore(0), asyncio.Event()
        talks = [asyncio.ensure_future(self.talk(opened, started)) for _ in range(self.connections)]
        for _ in talks:
            await opened.acquire()
        started.set()
        await asyncio.sleep(0.5)
        before = self.rounds
        print("start", flush=True)
        began = time.monotonic()
        await asyncio.sleep(seconds)
        print("stop", self.rounds - before, time.monotonic() - began, flush=True)
        self.ends = True
        await asyncio.gather(*talks)


url, connections, size, seconds, authority = sys.argv[1:]
asyncio.run(Load(url, int(connections), int(size), authority).run(float(seconds)))
