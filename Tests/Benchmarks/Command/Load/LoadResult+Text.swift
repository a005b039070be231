import Foundation

extension LoadResult {
    /// One line for people.
    var text: String {
        var parts = ["\(self.load), \(self.tunnels) tunnels"]
        if let rate = self.workPerSecond {
            parts.append(
                self.unit == LoadKind.download.unit.name
                    ? String(format: "%.2f GB/s", rate / 1e9) : String(format: "%.0f/s", rate))
        }
        if let cpu = self.cpuPerUnit { parts.append(String(format: "CPU %.3f ", cpu) + self.unit) }
        if let median = self.medianLatency, let p99 = self.p99Latency {
            parts.append(String(format: "p50 %.0f µs, p99 %.0f µs", median, p99))
        }
        if let bytes = self.bytesPerTunnel, let files = self.descriptorsPerTunnel {
            parts.append(String(format: "%.0f bytes and %.1f descriptors a tunnel", bytes, files))
        }
        return parts.joined(separator: "; ")
    }
}
