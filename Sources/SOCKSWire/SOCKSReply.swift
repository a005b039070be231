/// A server's answer to a SOCKS 5 request (RFC 1928 §6).
package enum SOCKSReply: UInt8, Sendable, Hashable, CaseIterable {
    case succeeded = 0
    case generalFailure = 1
    case notAllowed = 2
    case networkUnreachable = 3
    case hostUnreachable = 4
    case connectionRefused = 5
    case timeToLiveExpired = 6
    case commandNotSupported = 7
    case addressTypeNotSupported = 8

    /// The reply as the RFC words it.
    package var words: String {
        switch self {
        case .succeeded: "succeeded"
        case .generalFailure: "general SOCKS server failure"
        case .notAllowed: "connection not allowed by ruleset"
        case .networkUnreachable: "network unreachable"
        case .hostUnreachable: "host unreachable"
        case .connectionRefused: "connection refused"
        case .timeToLiveExpired: "TTL expired"
        case .commandNotSupported: "command not supported"
        case .addressTypeNotSupported: "address type not supported"
        }
    }

    /// Whether another address of the same name may fare better.
    package var isAboutAddress: Bool {
        switch self {
        case .networkUnreachable, .hostUnreachable, .connectionRefused, .timeToLiveExpired,
            .addressTypeNotSupported:
            true
        case .succeeded, .generalFailure, .notAllowed, .commandNotSupported: false
        }
    }
}
