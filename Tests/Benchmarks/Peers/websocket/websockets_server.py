"""An echo server on Python's `websockets`: websockets_server.py PORT [CERTIFICATE KEY]"""

import asyncio
import ssl
import sys

from websockets.asyncio.server import serve
from websockets.exceptions import ConnectionClosed


async def echo(connection):
    try:
        async for message in connection:
            await connection.send(message)
    except ConnectionClosed:
        pass


async def main(port, certificate=None, key=None):
    context = None
    if certificate:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key)
    async with serve(echo, "127.0.0.1", int(port), ssl=context, compression=None, backlog=4096) as server:
        await server.serve_forever()


asyncio.run(main(*sys.argv[1:]))
