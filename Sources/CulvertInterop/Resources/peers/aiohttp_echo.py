"""An echo server on aiohttp.

    aiohttp_echo.py PORT
"""

import logging
import sys

from aiohttp import WSMsgType, web

SUBPROTOCOL = "culvert.echo"
# 64 MiB: four times the largest message sent here.
LARGEST_MESSAGE = 64 << 20


async def echo(request):
    # Left to itself, aiohttp answers every close with 1000.
    socket = web.WebSocketResponse(protocols=[SUBPROTOCOL], max_msg_size=LARGEST_MESSAGE, autoclose=False)
    await socket.prepare(request)
    try:
        while not socket.closed:
            message = await socket.receive()
            if message.type is WSMsgType.TEXT:
                await socket.send_str(message.data)
            elif message.type is WSMsgType.BINARY:
                await socket.send_bytes(message.data)
            elif message.type is WSMsgType.CLOSE:
                await socket.close(code=message.data or 1000)
            else:
                break
    except ConnectionError:
        pass
    return socket


application = web.Application()
application.router.add_get("/", echo)
# It warns of subprotocols it does not know.
logging.getLogger("aiohttp.websocket").setLevel(logging.ERROR)
# Its own handling of SIGTERM waits for clients to leave, up to a minute.
web.run_app(
    application, host="127.0.0.1", port=int(sys.argv[1]), print=None, access_log=None, handle_signals=False
)
