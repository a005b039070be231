/// What one benchmark of the codec came to.
struct CodecResult: Codable {
    var benchmark: String
    /// Bytes of payload in one operation.
    var bytes: Int
    /// Of processor time for one operation, the median of several samples.
    var nanoseconds: Double
    var gigabytesPerSecond: Double
    /// Of the allocator, for one operation; nil where nobody counts.
    var allocations: Double?
}
