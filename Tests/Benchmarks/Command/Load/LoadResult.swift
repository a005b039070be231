/// What one load came to.
struct LoadResult: Codable {
    var load: String
    var tunnels: Int
    /// How long was measured.
    var seconds: Double
    /// Bytes, or rounds; nil where tunnels are only held.
    var work: Int?
    var workPerSecond: Double?
    /// Of the watched processes in that time.
    var cpuSeconds: Double?
    /// Of the watched processes: seconds for each 10⁹ bytes, or microseconds for each round.
    var cpuPerUnit: Double?
    var unit: String
    /// Of a round, in microseconds.
    var medianLatency: Double?
    var p99Latency: Double?
    /// Of the watched processes for each idle tunnel.
    var bytesPerTunnel: Double?
    var descriptorsPerTunnel: Double?

    mutating func setLatencies(_ latencies: [UInt32]) {
        let sorted = latencies.sorted()
        guard !sorted.isEmpty else { return }
        self.medianLatency = Double(sorted[sorted.count / 2]) / 1000
        self.p99Latency = Double(sorted[sorted.count * 99 / 100]) / 1000
    }
}
