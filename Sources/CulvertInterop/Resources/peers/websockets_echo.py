"""An echo server on Python's `websockets`.

    websockets_echo.py PORT [CERTIFICATE KEY]
"""

import asyncio
import ssl
import sys

from websockets.asyncio.server import serve
from websockets.exceptions import ConnectionClosed

SUBPROTOCOL = "culvert.echo"
# 64 MiB: four times the largest message sent here.
LARGEST_MESSAGE = 64 << 20


async def echo(connection):
    try:
        async for message in connection:
            await connection.send(message)
    except ConnectionClosed:
        pass


def choose(connection, offered):
    return SUBPROTOCOL if SUBPROTOCOL in offered else None


async def main(port, certificate=None, key=None):
    context = None
    if certificate:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key)
    options = {"select_subprotocol": choose, "max_size": LARGEST_MESSAGE, "ssl": context, "backlog": 4096}
    async with serve(echo, "127.0.0.1", int(port), **options) as server:
        await server.serve_forever()


asyncio.run(main(*sys.argv[1:]))
