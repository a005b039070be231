/// Which limit a connection or request goes beyond, and when to try again.
package struct LimitExcess: Error, Sendable, Hashable {
    /// By the name of its setting.
    package enum Limit: String, Sendable, Hashable, CaseIterable {
        case connections = "max-connections"
        case clientConnections = "client-connections"
        case clientRequestRate = "client-request-rate"
        case clientBandwidth = "client-bandwidth"
        case userConnections = "user-connections"
        case userRequestRate = "user-request-rate"
        case userBandwidth = "user-bandwidth"
    }

    package let limit: Limit
    /// In seconds, at least 1.
    package let retryAfter: Int

    /// Connections end when they end: 5 s are some of a browser's requests.
    private static let connectionsWait = 5

    /// - Parameter wait: nanoseconds until it would pass; nil where nobody knows.
    package init(_ limit: Limit, wait: UInt64? = nil) {
        self.limit = limit
        guard let wait else {
            self.retryAfter = Self.connectionsWait
            return
        }
        self.retryAfter = Int(clamping: max(1, wait / 1_000_000_000 + (wait % 1_000_000_000 > 0 ? 1 : 0)))
    }

    /// Too much of one is the client's doing, too much of all is nobody's.
    package var status: Int { self.limit == .connections ? 503 : 429 }
}
