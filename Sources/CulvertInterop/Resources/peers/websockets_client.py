"""The client of Python's websockets through an HTTP proxy: websockets_client.py URL PROXY CA"""

import asyncio
import ssl
import sys

from client_checks import BINARY, FRAGMENTS, LONG_TEXT, TEXT, check, pattern, same
from websockets.asyncio.client import connect

url, proxy, authority = sys.argv[1:]


def opening(**options):
    tls = ssl.create_default_context(cafile=authority) if url.startswith("wss:") else None
    return connect(url, ssl=tls, proxy=proxy, max_size=None, ping_interval=None, open_timeout=20, **options)


async def main():
    async with asyncio.timeout(50):
        with check("open"):
            async with opening() as socket:
                await messages(socket)
        for code in (1000, 3000):
            with check(f"close-{code}"):
                async with opening() as socket:
                    await socket.close(code, "done")
                    same(str(socket.close_code), str(code))


async def messages(socket):
    for name, message in [
        ("text", TEXT), ("binary", BINARY), ("empty", ""), ("125", pattern(125)), ("126", pattern(126)),
        ("65535", pattern(65535)), ("65536", pattern(65536)), ("16MB", pattern(1 << 24)),
    ]:
        with check(name):
            await socket.send(message)
            same(await socket.recv(), message)
    with check("fragments"):
        await socket.send(FRAGMENTS)
        same(await socket.recv(), "".join(FRAGMENTS))
    with check("ping"):
        async with asyncio.timeout(10):
            await (await socket.ping(b"culvert"))
    if socket.protocol.extensions:
        with check("compression"):
            await socket.send(LONG_TEXT)
            same(await socket.recv(), LONG_TEXT)


asyncio.run(main())
