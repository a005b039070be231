/// The caller asked for an opening request that must not be sent.
package enum HandshakeRequestError: Error, Hashable, Sendable, CustomStringConvertible {
    /// A subprotocol is not a token (RFC 6455 §4.1).
    case invalidSubprotocol(String)
    /// The same subprotocol twice.
    case duplicateSubprotocol(String)
    /// An extension that does not start with a token, or holds control characters.
    case invalidExtension(String)
    /// A field that the handshake writes itself, or that would change how the request is framed.
    case reservedField(String)
    /// More than one `Host`.
    case severalHosts
    /// The nonce has not 16 bytes.
    case nonceLength(Int)

    package var description: String {
        switch self {
        case .invalidSubprotocol(let name): "the subprotocol \(name.debugDescription) is not a token"
        case .duplicateSubprotocol(let name): "the subprotocol \(name.debugDescription) is offered twice"
        case .invalidExtension(let text): "the extension \(text.debugDescription) is malformed"
        case .reservedField(let name): "the handshake sets the field \(name) itself"
        case .severalHosts: "more than one Host field"
        case .nonceLength(let count): "the nonce of a handshake has 16 bytes, not \(count)"
        }
    }
}
