/// Why a SOCKS server opened no tunnel.
package enum SOCKSFailure: Error, Hashable, Sendable {
    /// It speaks something else: the first octet that was wrong.
    case notSOCKS(UInt8)
    /// It takes none of the methods that were offered.
    case noAcceptableMethod(offeredPassword: Bool)
    /// It chose a method that was not offered.
    case methodNotOffered(UInt8)
    /// User name or password are wrong.
    case credentialsRejected
    /// User name or password do not fit the protocol.
    case credentialsUnsendable
    /// It refused the request, with a reply of RFC 1928.
    case refused(SOCKSReply)
    /// It refused the request, with a code nobody knows, or one of SOCKS 4 (91 to 93).
    case refusedWithCode(UInt8)
    /// The reply holds an address of an unknown type.
    case malformedReply
    /// It closed the connection after so many octets of its answers.
    case closed(afterBytes: Int)
}

extension SOCKSFailure: CustomStringConvertible {
    package var description: String {
        switch self {
        case .notSOCKS(UInt8(ascii: "H")): "the proxy does not speak SOCKS here: it answers in HTTP"
        case .notSOCKS(let byte): "the proxy does not speak SOCKS here: its answer begins with octet \(byte)"
        case .noAcceptableMethod(offeredPassword: false):
            "the SOCKS proxy wants authentication; put a user name and password in its URL: socks5h://user:password@host:port"
        case .noAcceptableMethod(offeredPassword: true):
            "the SOCKS proxy takes neither a user name and password nor a client without them"
        case .methodNotOffered(let method): "the SOCKS proxy chose method \(method), which was not offered"
        case .credentialsRejected: "the SOCKS proxy rejects the user name or password"
        case .credentialsUnsendable:
            "SOCKS carries user names of 1 to 255 octets and passwords of at most 255; SOCKS 4a carries no password and no name with a zero octet"
        case .refused(let reply): "the SOCKS proxy refused: \(reply.words) (reply \(reply.rawValue))"
        case .refusedWithCode(91): "the SOCKS proxy refused: request rejected or failed (code 91)"
        case .refusedWithCode(92): "the SOCKS proxy refused: it cannot reach identd at the client (code 92)"
        case .refusedWithCode(93): "the SOCKS proxy refused: identd reports another user (code 93)"
        case .refusedWithCode(let code): "the SOCKS proxy refused with the unknown code \(code)"
        case .malformedReply: "the SOCKS proxy's reply is malformed: unknown address type"
        case .closed(0): "the SOCKS proxy closed the connection without an answer"
        case .closed(let count): "the SOCKS proxy closed the connection after \(count) octets of its answers"
        }
    }
}
