package import ProxyRoutes
import Synchronization

/// The ``BadMarks`` that many connections share.
package final class RouteHealth: Sendable {
    private let marks = Mutex(BadMarks())
    private let now: @Sendable () -> ContinuousClock.Instant

    /// - Parameter now: the clock; a test brings its own.
    package init(now: @escaping @Sendable () -> ContinuousClock.Instant = { .now }) {
        self.now = now
    }

    /// The routes in the order they should be tried.
    package func order(_ routes: [Route]) -> [Route] {
        guard routes.count > 1 else { return routes }
        return self.marks.withLock { $0.order(routes, at: self.now()) }
    }

    package func unreachable(_ proxy: ProxyHop) {
        self.marks.withLock { $0.mark(proxy, at: self.now()) }
    }

    package func reached(_ proxy: ProxyHop) {
        self.marks.withLock { $0.clear(proxy) }
    }

    /// How long each mark still counts, by the proxy's URL without credentials.
    package var marked: [String: Duration] { self.marks.withLock { $0.remaining(at: self.now()) } }
}
