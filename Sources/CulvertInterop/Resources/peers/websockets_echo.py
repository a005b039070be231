"""An echo server on Python's `websockets`.

    websockets_echo.py PORT
"""

import asyncio
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


async def main(port):
    async with serve(echo, "127.0.0.1", port, select_subprotocol=choose, max_size=LARGEST_MESSAGE) as server:
        await server.serve_forever()


asyncio.run(main(int(sys.argv[1])))
