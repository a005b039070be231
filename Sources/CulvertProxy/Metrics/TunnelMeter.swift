import Synchronization

/// One open tunnel: who and where to, and its bytes, counted where they move and read from anywhere.
package final class TunnelMeter: Sendable {
    package let id: UInt64
    /// What is known of it so far.
    let entry: AccessLogEntry
    /// What moves its bytes: a name of few.
    package let engine: String
    private let up = Atomic<UInt64>(0)
    private let down = Atomic<UInt64>(0)

    init(id: UInt64, entry: AccessLogEntry, engine: String) {
        self.id = id
        self.entry = entry
        self.engine = engine
    }

    package var client: String { self.entry.client }
    package var user: String? { self.entry.user }
    package var target: String { TopDestinations.name(of: self.entry.target) }
    package var address: String? { self.entry.address }
    /// In seconds since 1970.
    package var openedAt: Double { self.entry.timestamp }

    /// From the client to the target.
    package var bytesUp: UInt64 { self.up.load(ordering: .relaxed) }
    /// From the target to the client.
    package var bytesDown: UInt64 { self.down.load(ordering: .relaxed) }

    func add(_ count: Int, from side: RelaySide) {
        switch side {
        case .client: self.addUp(count)
        case .origin: self.addDown(count)
        }
    }

    package func addUp(_ count: Int) {
        self.up.wrappingAdd(UInt64(clamping: count), ordering: .relaxed)
    }

    package func addDown(_ count: Int) {
        self.down.wrappingAdd(UInt64(clamping: count), ordering: .relaxed)
    }
}
