/// What a client speaks on a port that takes several protocols, told by its first octet: the clients of all of them
/// speak first, and no two begin alike.
package enum ConnectionProtocol: Sendable, Hashable {
    /// A method, or whatever HTTP's parser will say no to.
    case http
    /// The version: 5 (RFC 1928) or 4.
    case socks
    /// A handshake record, in which the ClientHello comes (RFC 8446 §5.1).
    case tls

    package init(firstOctet: UInt8) {
        switch firstOctet {
        case 4, 5: self = .socks
        case 0x16: self = .tls
        default: self = .http
        }
    }
}
