import HTTPWire

/// Which connections may begin in front of SwiftNIO.
extension ProxySnapshot {
    /// Whether a connection is looked at there at all. Who is no known user proves who he is elsewhere, and scripts run
    /// elsewhere.
    var beginsInFront: Bool {
        self.configuration.relay == .auto && self.authenticator?.mayKnowAtOnce ?? true
            && self.configuration.script == nil && self.configuration.tls?.clientAuthoritiesFile == nil
    }

    /// Whether no proxy can be on the way to the target.
    func leavesDirectly(to target: Authority) -> Bool {
        self.configuration.routes(to: target) == [.direct]
    }

    /// Whether a listener in front is worth it: clients do not come for TLS, and some target is reached without a proxy.
    var wantsFront: Bool {
        self.beginsInFront && self.configuration.tls == nil
            && self.configuration.allRoutes.contains(.direct)
    }
}
