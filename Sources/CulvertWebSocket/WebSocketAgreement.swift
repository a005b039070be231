import CulvertTunnel
import HTTPTypes
import WebSocketWire

/// What an opening handshake ended with.
struct WebSocketAgreement: Sendable {
    var request: HTTPRequest
    var response: HTTPResponse
    var subprotocol: String?
    var deflate: PerMessageDeflate?
    var route = Route.direct
}
