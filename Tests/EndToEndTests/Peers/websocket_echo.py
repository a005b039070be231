"""A WebSocket server on Python's `websockets`, on a free loopback port.

    websocket_echo.py [CERTIFICATE KEY]

Prints `ready PORT`. The paths are a contract shared with websocket_echo.js:
/echo sends every message back; /request first sends what the handshake carried, as JSON, then echoes;
/plain echoes and declines every extension; /close-4000 answers the first message by closing with 4000 "bye";
/burst answers it with 1,000 messages and closes; /abort answers it by dropping the connection; every other path is a
404 with a body.
"""

import asyncio
import json
import ssl
import sys

from websockets.asyncio.server import serve
from websockets.exceptions import ConnectionClosed

PATHS = {"/echo", "/plain", "/request", "/close-4000", "/burst", "/abort"}
SUBPROTOCOLS = ["culvert.v2", "culvert.v1"]


async def converse(connection):
    try:
        await follow(connection, connection.request.path)
    except ConnectionClosed:
        pass


async def follow(connection, path):
    if path == "/request":
        fields = {name.lower(): value for name, value in connection.request.headers.raw_items()}
        extensions = ", ".join(extension.name for extension in connection.protocol.extensions)
        told = {"fields": fields, "subprotocol": connection.subprotocol or "", "extensions": extensions}
        await connection.send(json.dumps(told))
    async for message in connection:
        if path == "/close-4000":
            await connection.close(4000, "bye")
        elif path == "/abort":
            connection.transport.abort()
        elif path == "/burst":
            for index in range(1000):
                await connection.send(f"message {index}")
            await connection.close()
        else:
            await connection.send(message)


def route(connection, request):
    if request.path not in PATHS:
        return connection.respond(404, "no such page here\n")
    if request.path == "/plain":
        del request.headers["Sec-WebSocket-Extensions"]
    return None


def choose(connection, offered):
    return next((name for name in SUBPROTOCOLS if name in offered), None)


async def main():
    context = None
    if len(sys.argv) == 3:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(sys.argv[1], sys.argv[2])
    limit = 64 << 20
    async with serve(
        converse, "127.0.0.1", 0, ssl=context, max_size=limit, process_request=route, select_subprotocol=choose
    ) as server:
        print("ready", server.sockets[0].getsockname()[1], flush=True)
        await asyncio.get_running_loop().create_future()


asyncio.run(main())
