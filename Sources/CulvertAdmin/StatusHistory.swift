/// The last samples, oldest first.
struct StatusHistory: Sendable {
    /// Five minutes at one sample a second: as much as a plot on a phone can show.
    static let capacity = 300

    private(set) var samples: [StatusSample] = []

    mutating func append(_ sample: StatusSample) {
        if samples.count >= Self.capacity { samples.removeFirst(samples.count - Self.capacity + 1) }
        samples.append(sample)
    }
}
