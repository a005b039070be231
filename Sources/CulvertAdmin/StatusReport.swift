import CulvertProxy
import Foundation

/// What the status page shows, at one moment.
struct StatusReport: Sendable, Codable {
    struct Process: Sendable, Codable {
        /// Of one processor, over the last second.
        var cpuPercent: Double?
        var residentBytes: Double?
        var openDescriptors: Int?
        var maxDescriptors: Int?
    }

    struct Destination: Sendable, Codable {
        var target: String
        var requests: UInt64
        var bytes: UInt64
    }

    struct Refusal: Sendable, Codable {
        var rule: String
        var count: UInt64
    }

    struct Parent: Sendable, Codable {
        var parent: String
        /// Nil before its first use.
        var isUp: Bool?
        var successes: UInt64
        var failures: UInt64
        var lastError: String?
        /// Seconds since then.
        var sinceSuccess: Double?
        var sinceFailure: Double?
        /// How many seconds other ways are still tried before it; nil when they are not.
        var avoidedFor: Double?
    }

    struct Tunnel: Sendable, Codable {
        var id: UInt64
        var client: String
        var user: String?
        var target: String
        var engine: String
        /// Since it opened.
        var seconds: Double
        var up: UInt64
        var down: UInt64
        /// Bytes per second, both ways.
        var rate: Double
    }

    var state: String
    var version: String
    /// In seconds since 1970.
    var time: Double
    /// How long the proxy runs.
    var uptime: Double
    var listeners: [String]
    var connectionsOpen: Int
    var tunnelsOpen: Int
    var tunnelsOpened: UInt64
    var requests: UInt64
    var refused: UInt64
    var bytesUp: UInt64
    var bytesDown: UInt64
    var now: StatusSample
    var process: Process
    var destinations: [Destination]
    var refusals: [Refusal]
    var parents: [Parent]
    /// The busiest.
    var tunnels: [Tunnel]

    var json: String { Self.encode(self) }

    static func encode(_ value: some Encodable) -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        // None of the numbers can be infinite, and nothing else can fail to be encoded.
        guard let data = try? encoder.encode(value) else { return "{}" }
        return String(decoding: data, as: UTF8.self)
    }
}
