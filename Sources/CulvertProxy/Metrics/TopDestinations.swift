/// Where most of the traffic goes, in bounded memory: after the "space-saving" summary of Metwally, Agrawal and
/// El Abbadi. When the table is full its lighter half goes, and a destination that is new from then on begins with the
/// weight of the heaviest that went: so a heavy one is never missed, only light ones are inexact, and what a new one
/// costs does not grow with the table.
package struct TopDestinations: Sendable {
    package struct Entry: Sendable, Hashable {
        package var target: String
        package var requests: UInt64
        package var bytes: UInt64

        package init(target: String, requests: UInt64, bytes: UInt64) {
            self.target = target
            self.requests = requests
            self.bytes = bytes
        }

        fileprivate var weight: UInt64 { self.bytes &+ self.requests }
    }

    private let capacity: Int
    private var entries: [String: Entry] = [:]
    /// What those that went had at most.
    private var lost = Entry(target: "", requests: 0, bytes: 0)

    /// - Parameter capacity: how many destinations it holds at most.
    package init(capacity: Int) {
        self.capacity = max(1, capacity)
    }

    package mutating func add(_ target: String, requests: UInt64 = 1, bytes: UInt64) {
        if let known = entries.index(forKey: target) {
            entries.values[known].requests &+= requests
            entries.values[known].bytes &+= bytes
            return
        }
        if entries.count >= capacity { self.dropLighterHalf() }
        entries[target] = Entry(
            target: target, requests: lost.requests &+ requests, bytes: lost.bytes &+ bytes)
    }

    /// The heaviest, first those with the most bytes, then those with the most requests.
    package func heaviest(_ count: Int) -> [Entry] {
        let sorted = entries.values.sorted {
            ($0.bytes, $0.requests, $1.target) > ($1.bytes, $1.requests, $0.target)
        }
        return Array(sorted.prefix(count))
    }

    /// The host and port of a request's target: paths and queries hold what is nobody's business.
    package static func name(of target: String) -> String {
        guard let start = Self.endOfScheme(target.utf8) else { return target }
        let authority = target.utf8[start...].prefix {
            $0 != UInt8(ascii: "/") && $0 != UInt8(ascii: "?") && $0 != UInt8(ascii: "#")
        }
        let host =
            authority.lastIndex(of: UInt8(ascii: "@")).map { authority[$0...].dropFirst() } ?? authority
        return String(Substring(host))
    }

    private static func endOfScheme(_ target: String.UTF8View) -> String.Index? {
        var rest = target[...]
        while let colon = rest.firstIndex(of: UInt8(ascii: ":")) {
            let behind = rest[colon...]
            if behind.starts(with: "://".utf8) { return target.index(colon, offsetBy: 3) }
            rest = behind.dropFirst()
        }
        return nil
    }

    private mutating func dropLighterHalf() {
        let lighter = entries.values.sorted { $0.weight > $1.weight }.dropFirst(capacity / 2)
        if let heaviest = lighter.first { lost = heaviest }
        for entry in lighter { entries[entry.target] = nil }
    }
}
