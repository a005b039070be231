import HTTPWire

/// So many in so long. Who was quiet for that long may send all of them at once.
public struct RequestRate: Sendable, Hashable, CustomStringConvertible {
    /// How long the count is for.
    public enum Period: String, Sendable, Hashable, CaseIterable {
        /// One second.
        case second = "s"
        /// One minute.
        case minute = "m"
        /// One hour.
        case hour = "h"

        fileprivate var nanoseconds: UInt64 {
            switch self {
            case .second: 1_000_000_000
            case .minute: 60_000_000_000
            case .hour: 3_600_000_000_000
            }
        }
    }

    /// How many, at least 1.
    public let count: Int
    /// In how long.
    public let period: Period

    /// So many in that time; counts below 1 are 1.
    public init(_ count: Int, per period: Period) {
        self.count = max(1, count)
        self.period = period
    }

    /// Reads `10/s`, `600/m`, `1000/h`; a number alone is for a second.
    public init?(_ text: some StringProtocol) {
        let parts = text.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        guard let digits = parts.first, digits.utf8.allSatisfy(ASCII.isDigit),
            let count = Int(digits), count > 0,
            let period = parts.count == 2 ? Period(rawValue: String(parts[1])) : .second
        else { return nil }
        self.init(count, per: period)
    }

    /// `10/s`.
    public var description: String { "\(self.count)/\(self.period.rawValue)" }

    var bucket: TokenBucket.Rate {
        .init(UInt64(self.count), per: self.period.nanoseconds, saving: self.period.nanoseconds)
    }
}
