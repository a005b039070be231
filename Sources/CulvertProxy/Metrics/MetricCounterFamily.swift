import Metrics
import Synchronization

/// Counters of one name that differ in one label.
///
/// Bounded: whatever comes after `maxSeries` values counts as `other`, so that no client grows it by inventing
/// values.
package final class MetricCounterFamily: Sendable {
    package static let overflow = "other"

    private let name: String
    private let label: String
    private let maxSeries: Int
    private let counters = Mutex<[String: MetricCounter]>([:])

    /// - Parameter maxSeries: 100: a dashboard shows fewer, a time series database notices none of it.
    init(_ name: String, label: String, maxSeries: Int = 100) {
        self.name = name
        self.label = label
        self.maxSeries = maxSeries
    }

    package func add(_ value: String, _ amount: UInt64 = 1) {
        self.counter(value).add(amount)
    }

    /// What was counted, by the label's value.
    package var values: [String: UInt64] {
        self.counters.withLock { $0 }.mapValues(\.value)
    }

    /// As a family for the exposition, in the order of the values.
    func family(_ help: String) -> MetricFamily {
        let samples = self.values.sorted { $0.key < $1.key }.map { value, count in
            MetricFamily.Sample(labels: [(self.label, value)], value: Double(count))
        }
        return MetricFamily(name: self.name, help: help, kind: .counter, samples: samples)
    }

    private func counter(_ value: String) -> MetricCounter {
        self.counters.withLock { counters in
            let isKnown = counters[value] != nil || counters.count < self.maxSeries
            let key = isKnown ? value : Self.overflow
            if let counter = counters[key] { return counter }
            let counter = MetricCounter(mirror: Counter(label: self.name, dimensions: [(self.label, key)]))
            counters[key] = counter
            return counter
        }
    }
}
