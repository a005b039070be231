"""A small server of the Pusher Channels protocol, version 7, on Python's `websockets`.

    pusher_echo.py PORT

The path is /app/culvert?protocol=7. A `client-echo` event on a subscribed channel comes back as it was. As the
protocol has it, `data` is a string that holds JSON in what the server says, and anything in what a client says.
"""

import asyncio
import json
import secrets
import sys
from urllib.parse import parse_qs, urlsplit

from websockets.asyncio.server import serve
from websockets.exceptions import ConnectionClosed

APPLICATION_KEY = "culvert"
PROTOCOL = "7"
SUBPROTOCOL = "culvert.echo"
# 64 MiB: four times the largest message sent here.
LARGEST_MESSAGE = 64 << 20
ACTIVITY_TIMEOUT_SECONDS = 120


async def converse(connection):
    try:
        refused = refusal(urlsplit(connection.request.path))
        if refused:
            code, reason = refused
            await say(connection, "pusher:error", {"code": code, "message": reason})
            await connection.close(code, reason)
            return
        await say(connection, "pusher:connection_established", {
            "socket_id": f"{secrets.randbelow(1 << 20)}.{secrets.randbelow(1 << 20)}",
            "activity_timeout": ACTIVITY_TIMEOUT_SECONDS,
        })
        channels = set()
        async for message in connection:
            await answer(connection, channels, message)
    except ConnectionClosed:
        pass


def refusal(url):
    if url.path != f"/app/{APPLICATION_KEY}":
        return 4001, "Application does not exist"
    if parse_qs(url.query).get("protocol") != [PROTOCOL]:
        return 4007, "Unsupported protocol version"
    return None


async def answer(connection, channels, message):
    try:
        event = json.loads(message)
        name = event["event"]
        data = event.get("data")
        # Some clients wrap their data in a string, as servers do; their channel's name is inside.
        if name.startswith("pusher:") and isinstance(data, str):
            data = json.loads(data or "{}")
        if name == "pusher:ping":
            await say(connection, "pusher:pong", {})
        elif name == "pusher:subscribe":
            channels.add(data["channel"])
            await say(connection, "pusher_internal:subscription_succeeded", {}, data["channel"])
        elif name == "pusher:unsubscribe":
            channels.discard(data["channel"])
        elif name == "pusher:pong":
            pass
        elif name == "client-echo" and event.get("channel") in channels:
            await connection.send(message)
        else:
            await say(connection, "pusher:error", {"code": 4301, "message": f"not expected: {name}"})
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        await say(connection, "pusher:error", {"code": None, "message": f"not understood: {error!r}"})


def choose(connection, offered):
    return SUBPROTOCOL if SUBPROTOCOL in offered else None


async def say(connection, event, data, channel=None):
    message = {"event": event, "data": json.dumps(data)}
    if channel is not None:
        message["channel"] = channel
    await connection.send(json.dumps(message))


async def main(port):
    async with serve(converse, "127.0.0.1", port, select_subprotocol=choose, max_size=LARGEST_MESSAGE) as server:
        await server.serve_forever()


asyncio.run(main(int(sys.argv[1])))
