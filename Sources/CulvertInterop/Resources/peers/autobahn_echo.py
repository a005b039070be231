"""An echo server on Autobahn for Twisted.

    autobahn_echo.py PORT
"""

import sys

from autobahn.twisted.websocket import WebSocketServerFactory, WebSocketServerProtocol
from autobahn.websocket.compress import PerMessageDeflateOffer, PerMessageDeflateOfferAccept
from twisted.internet import reactor

SUBPROTOCOL = "culvert.echo"
# 64 MiB: four times the largest message sent here.
LARGEST_MESSAGE = 64 << 20


class Echo(WebSocketServerProtocol):
    def onConnect(self, request):
        return SUBPROTOCOL if SUBPROTOCOL in request.protocols else None

    def onMessage(self, payload, isBinary):
        self.sendMessage(payload, isBinary)


def accept(offers):
    for offer in offers:
        if isinstance(offer, PerMessageDeflateOffer):
            return PerMessageDeflateOfferAccept(offer)
    return None


factory = WebSocketServerFactory()
factory.protocol = Echo
factory.setProtocolOptions(
    perMessageCompressionAccept=accept,
    maxFramePayloadSize=LARGEST_MESSAGE,
    maxMessagePayloadSize=LARGEST_MESSAGE,
    # Without it every close is answered with 1000.
    echoCloseCodeReason=True,
)
reactor.listenTCP(int(sys.argv[1]), factory, interface="127.0.0.1")
reactor.run()
