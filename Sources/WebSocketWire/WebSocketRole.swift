/// Which end of the connection we are. A client masks what it sends, a server never does (RFC 6455 §5.1).
package enum WebSocketRole: Hashable, Sendable {
    case client
    case server
}
