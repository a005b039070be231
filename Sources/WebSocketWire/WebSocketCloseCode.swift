/// Why a connection was closed: the status code of a close frame (RFC 6455 §7.4, IANA's registry).
public struct WebSocketCloseCode: RawRepresentable, Hashable, Sendable, CustomStringConvertible {
    /// The number on the wire.
    public var rawValue: UInt16

    /// Wraps any number; `mayBeSent` says whether it may stand in a close frame.
    public init(rawValue: UInt16) {
        self.rawValue = rawValue
    }

    /// 1000: the purpose of the connection is fulfilled.
    public static let normalClosure = Self(rawValue: 1000)
    /// 1001: a server goes down, or a browser leaves the page.
    public static let goingAway = Self(rawValue: 1001)
    /// 1002: the peer broke the protocol.
    public static let protocolError = Self(rawValue: 1002)
    /// 1003: the kind of data cannot be accepted.
    public static let unsupportedData = Self(rawValue: 1003)
    /// 1005: the close frame held no code. Never on the wire.
    public static let noStatusReceived = Self(rawValue: 1005)
    /// 1006: the connection ended without a close frame. Never on the wire.
    public static let abnormalClosure = Self(rawValue: 1006)
    /// 1007: the data does not fit its type, as text that is not UTF-8.
    public static let invalidPayload = Self(rawValue: 1007)
    /// 1008: a message breaks the endpoint's policy.
    public static let policyViolation = Self(rawValue: 1008)
    /// 1009: a message is too big to process.
    public static let messageTooBig = Self(rawValue: 1009)
    /// 1010: a client wanted an extension the server did not grant.
    public static let mandatoryExtension = Self(rawValue: 1010)
    /// 1011: an unexpected condition on the endpoint's side.
    public static let internalError = Self(rawValue: 1011)
    /// 1012: the service restarts.
    public static let serviceRestart = Self(rawValue: 1012)
    /// 1013: the service is overloaded; try again later.
    public static let tryAgainLater = Self(rawValue: 1013)
    /// 1014: a gateway got an invalid answer from upstream.
    public static let badGateway = Self(rawValue: 1014)
    /// 1015: the TLS handshake failed. Never on the wire.
    public static let tlsHandshake = Self(rawValue: 1015)

    /// Whether the code may stand in a close frame, from either side: 1000–1003, 1007–1014 and the ranges
    /// 3000–3999 (registered) and 4000–4999 (private). 1005, 1006 and 1015 are for reports only, the rest is
    /// reserved (RFC 6455 §7.4.1, §7.4.2).
    public var mayBeSent: Bool {
        switch rawValue {
        case 1000...1003, 1007...1014, 3000...4999: true
        default: false
        }
    }

    /// The number and, for the known codes, the name: `1001 going away`.
    public var description: String {
        name.map { "\(rawValue) \($0)" } ?? "\(rawValue)"
    }

    private var name: String? {
        switch self {
        case .normalClosure: "normal closure"
        case .goingAway: "going away"
        case .protocolError: "protocol error"
        case .unsupportedData: "unsupported data"
        case .noStatusReceived: "no status received"
        case .abnormalClosure: "abnormal closure"
        case .invalidPayload: "invalid payload"
        case .policyViolation: "policy violation"
        case .messageTooBig: "message too big"
        case .mandatoryExtension: "mandatory extension"
        case .internalError: "internal error"
        case .serviceRestart: "service restart"
        case .tryAgainLater: "try again later"
        case .badGateway: "bad gateway"
        case .tlsHandshake: "TLS handshake failed"
        default: nil
        }
    }
}
