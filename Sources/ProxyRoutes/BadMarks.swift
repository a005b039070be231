/// The proxies that could not be reached a short time ago: they are tried last, so that not every connection waits for
/// them anew.
package struct BadMarks: Sendable {
    /// Some minutes are what browsers and cntlm wait; a proxy that comes back is found within them.
    package static let duration = Duration.seconds(300)
    /// More than one machine has proxies; beyond it the oldest marks go.
    private static let limit = 256

    /// By the proxy's URL without credentials: whoever the user is, it is as far away.
    private var ends: [String: ContinuousClock.Instant] = [:]

    package init() {}

    /// The proxy could not be reached.
    package mutating func mark(_ proxy: ProxyHop, at now: ContinuousClock.Instant) {
        if self.ends.count >= Self.limit, let oldest = self.ends.min(by: { $0.value < $1.value }) {
            self.ends[oldest.key] = nil
        }
        self.ends[proxy.description] = now.advanced(by: Self.duration)
    }

    /// The proxy was reached.
    package mutating func clear(_ proxy: ProxyHop) {
        self.ends[proxy.description] = nil
    }

    /// The routes with those behind a marked proxy at the end; each half keeps its order.
    package func order(_ routes: [Route], at now: ContinuousClock.Instant) -> [Route] {
        let isBad = { (route: Route) in
            route.hops.first.flatMap { self.ends[$0.description] }.map { $0 > now } ?? false
        }
        return routes.filter { !isBad($0) } + routes.filter(isBad)
    }

    /// How long each mark still counts, by the proxy's URL without credentials.
    package func remaining(at now: ContinuousClock.Instant) -> [String: Duration] {
        self.ends.compactMapValues { $0 > now ? now.duration(to: $0) : nil }
    }
}
