import HTTPWire
import NIOCore

/// How a forwarded request ended, for its client's connection.
enum ForwardOutcome {
    /// The answer is written.
    case ended(ForwardEnd)
    /// No answer of an origin: the proxy's own goes out.
    case failed(ForwardFailure)
    /// The origin switched protocols.
    case tunnel(
        OriginConnection, response: ByteBuffer, fromClient: ByteBuffer, fromOrigin: ByteBuffer,
        inputClosed: Bool)
}

/// What the access log tells of a forwarded request.
struct ForwardFigures {
    var status = 0
    /// The connection's that carried it.
    var address: IPAddress?
    var addressText: String?
    var bytesUp: UInt64 = 0
    var bytesDown: UInt64 = 0
    /// The first parent on the way, without credentials.
    var parent: String?
    var resolveTime = TimeAmount.zero
    /// From the head to the connection that carries it.
    var connectTime = TimeAmount.zero
}
