import Foundation

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
        if entries[target] == nil, entries.count >= capacity { self.replaceLightest(by: target) }
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
        guard let scheme = target.range(of: "://") else { return target }
        let authority = target[scheme.upperBound...].prefix { $0 != "/" && $0 != "?" && $0 != "#" }
        return String(
            authority.lastIndex(of: "@").map { authority[authority.index(after: $0)...] } ?? authority)
    }

    private mutating func replaceLightest(by target: String) {
        guard let lightest = entries.values.min(by: { $0.weight < $1.weight }) else { return }
        entries[lightest.target] = nil
        entries[target] = Entry(target: target, requests: lightest.requests, bytes: lightest.bytes)
    }
}
