"""aiohttp's WebSocket client through an HTTP proxy: aiohttp_client.py URL PROXY CA"""

import asyncio
import ssl
import sys

import aiohttp
from client_checks import BINARY, LONG_TEXT, TEXT, check, pattern, same

url, proxy, authority = sys.argv[1:]


def opening(session, **options):
    tls = ssl.create_default_context(cafile=authority)
    return session.ws_connect(url, proxy=proxy, ssl=tls, max_msg_size=0, **options)


async def main():
    async with asyncio.timeout(50), aiohttp.ClientSession() as session:
        with check("open"):
            async with opening(session) as socket:
                await messages(socket)
        with check("compression"):
            async with opening(session, compress=15) as socket:
                if not socket.compress:
                    raise ValueError("the origin did not agree")
                await socket.send_str(LONG_TEXT)
                same(await socket.receive_str(), LONG_TEXT)
        for code in (1000, 3000):
            with check(f"close-{code}"):
                async with opening(session) as socket:
                    await socket.close(code=code, message=b"done")
                    same(str(socket.close_code), str(code))


async def messages(socket):
    for name, text in [("text", TEXT), ("empty", "")]:
        with check(name):
            await socket.send_str(text)
            same(await socket.receive_str(), text)
    for name, data in [
        ("binary", BINARY), ("125", pattern(125)), ("126", pattern(126)), ("65535", pattern(65535)),
        ("65536", pattern(65536)), ("16MB", pattern(1 << 24)),
    ]:
        with check(name):
            await socket.send_bytes(data)
            same(await socket.receive_bytes(), data)


asyncio.run(main())
