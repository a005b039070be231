import Metrics
import Synchronization

/// A number that only grows, cheap to add to from any thread; swift-metrics sees the same additions.
package final class MetricCounter: Sendable {
    private let count = Atomic<UInt64>(0)
    private let mirror: Counter?

    /// - Parameter mirror: the counter of swift-metrics beside it; nil for one that is only shown here.
    init(mirror: Counter? = nil) {
        self.mirror = mirror
    }

    package var value: UInt64 { self.count.load(ordering: .relaxed) }

    package func add(_ amount: UInt64 = 1) {
        self.count.wrappingAdd(amount, ordering: .relaxed)
        self.mirror?.increment(by: amount)
    }
}
