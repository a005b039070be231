"""An echo server on Tornado.

    tornado_echo.py PORT
"""

import asyncio
import logging
import sys

from tornado.web import Application
from tornado.websocket import WebSocketClosedError, WebSocketHandler

SUBPROTOCOL = "culvert.echo"
# 64 MiB: four times the largest message sent here.
LARGEST_MESSAGE = 64 << 20


class Echo(WebSocketHandler):
    def check_origin(self, origin):
        return True

    def get_compression_options(self):
        # An empty dictionary turns permessage-deflate on with its defaults.
        return {}

    def select_subprotocol(self, subprotocols):
        return SUBPROTOCOL if SUBPROTOCOL in subprotocols else None

    async def on_message(self, message):
        try:
            await self.write_message(message, binary=isinstance(message, bytes))
        except WebSocketClosedError:
            pass


async def main(port):
    logging.getLogger("tornado.access").setLevel(logging.ERROR)
    application = Application([("/", Echo)], websocket_max_message_size=LARGEST_MESSAGE)
    # The largest message is also held as one buffer.
    application.listen(port, "127.0.0.1", max_buffer_size=2 * LARGEST_MESSAGE)
    await asyncio.Event().wait()


asyncio.run(main(int(sys.argv[1])))
