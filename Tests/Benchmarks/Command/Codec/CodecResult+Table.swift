import Foundation

extension CodecResult {
    static let tableHead = """
        | benchmark | bytes | ns each | GB/s | allocations each |
        |---|---:|---:|---:|---:|
        """

    var tableRow: String {
        let time = String(format: self.nanoseconds < 100 ? "%.1f" : "%.0f", self.nanoseconds)
        let speed = String(format: "%.2f", self.gigabytesPerSecond)
        let allocations = self.allocations.map { String(format: "%.2f", $0) } ?? "–"
        return "| \(self.benchmark) | \(self.bytes) | \(time) | \(speed) | \(allocations) |"
    }
}
