"""A Socket.IO server (python-socketio on aiohttp): the event `echo` is answered with `echo` and its arguments.

    socketio_echo.py PORT
"""

import logging
import sys

import socketio
from aiohttp import web

# 64 MiB: four times the largest message sent here.
LARGEST_MESSAGE = 64 << 20

server = socketio.AsyncServer(
    async_mode="aiohttp",
    transports=["websocket"],
    cors_allowed_origins="*",
    max_http_buffer_size=LARGEST_MESSAGE,
)


@server.on("echo")
async def echo(session, *arguments):
    await server.emit("echo", arguments, to=session)


application = web.Application()
server.attach(application)
# It warns of subprotocols it does not know.
logging.getLogger("aiohttp.websocket").setLevel(logging.ERROR)
# Its own handling of SIGTERM waits for clients to leave, up to a minute.
web.run_app(
    application, host="127.0.0.1", port=int(sys.argv[1]), print=None, access_log=None, handle_signals=False
)
