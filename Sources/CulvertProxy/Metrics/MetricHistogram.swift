import Metrics
import Synchronization

/// How long something took, counted in buckets; swift-metrics sees the same durations.
package final class MetricHistogram: Sendable {
    /// Upper bounds in seconds: from a loopback connect to the usual deadline of 30 s, about 2.5 times apart.
    package static let bounds = [
        0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30,
    ]

    private let name: String
    private let buckets = (0...MetricHistogram.bounds.count).map { _ in MetricCounter() }
    private let nanoseconds = MetricCounter()
    private let mirror: Timer

    init(_ name: String) {
        self.name = name
        self.mirror = Timer(label: name)
    }

    package func record(nanoseconds: Int64) {
        let nanoseconds = max(0, nanoseconds)
        let seconds = Double(nanoseconds) / 1e9
        let index = Self.bounds.firstIndex { seconds <= $0 } ?? Self.bounds.count
        self.buckets[index].add()
        self.nanoseconds.add(UInt64(nanoseconds))
        self.mirror.recordNanoseconds(nanoseconds)
    }

    func family(_ help: String) -> MetricFamily {
        var samples: [MetricFamily.Sample] = []
        var total: UInt64 = 0
        for (index, bucket) in self.buckets.enumerated() {
            total &+= bucket.value
            let bound = index < Self.bounds.count ? PrometheusText.number(Self.bounds[index]) : "+Inf"
            samples.append(.init(suffix: "_bucket", labels: [("le", bound)], value: Double(total)))
        }
        samples.append(.init(suffix: "_sum", value: Double(self.nanoseconds.value) / 1e9))
        samples.append(.init(suffix: "_count", value: Double(total)))
        return MetricFamily(name: self.name, help: help, kind: .histogram, samples: samples)
    }
}
