/// Where most of the traffic goes, in bounded memory: the "space-saving" summary of Metwally, Agrawal and
/// El Abbadi. A destination that is new when the table is full takes the place and the weight of the lightest, so
/// a heavy one is never missed and only light ones are inexact.
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

    package init(capacity: Int) {
        self.capacity = max(1, capacity)
    }

    package mutating func add(_ target: String, requests: UInt64 = 1, bytes: UInt64) {
        if let known = entries.index(forKey: target) {
            entries.values[known].requests &+= requests
            entries.values[known].bytes &+= bytes
            return
        }
        if entries.count >= capacity { self.replaceLightest(by: target) }
        var entry = entries[target] ?? Entry(target: target, requests: 0, bytes: 0)
        entry.requests &+= requests
        entry.bytes &+= bytes
        entries[target] = entry
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

    private mutating func replaceLightest(by target: String) {
        guard let lightest = entries.values.min(by: { $0.weight < $1.weight }) else { return }
        entries[lightest.target] = nil
        entries[target] = Entry(target: target, requests: lightest.requests, bytes: lightest.bytes)
    }
}
