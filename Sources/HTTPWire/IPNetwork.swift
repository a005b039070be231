/// A block of addresses in CIDR notation: `10.0.0.0/8`, `2001:db8::/32`.
public struct IPNetwork: Hashable, Sendable, CustomStringConvertible {
    /// The first address of the block: host bits are cleared.
    public let base: IPAddress
    /// How many leading bits are fixed: 0…32 or 0…128.
    public let prefixLength: Int

    /// Parses `address/length`. Host bits may be set and are cleared. A bare address is no network: `nil`.
    public init?(_ text: some StringProtocol) {
        let parts = text.split(separator: "/", maxSplits: 2, omittingEmptySubsequences: false)
        guard parts.count == 2, let address = IPAddress(parts[0]) else { return nil }
        let digits = parts[1].utf8
        guard (1...3).contains(digits.count), digits.allSatisfy(ASCII.isDigit),
            digits.count == 1 || digits.first != UInt8(ascii: "0"), let length = Int(parts[1])
        else { return nil }
        self.init(address, prefixLength: length)
    }

    /// The block of the first `prefixLength` bits of `address`; `nil` when the address has fewer.
    public init?(_ address: IPAddress, prefixLength: Int) {
        guard let base = Self.masked(address, prefixLength) else { return nil }
        self.base = base
        self.prefixLength = prefixLength
    }

    /// The network of one address.
    package init(only address: IPAddress) {
        self.base = address
        self.prefixLength = address.bytes.count * 8
    }

    /// Parses `10.0.0.0/8`, or an address, which is a network of its own.
    package init?(networkOrAddress text: some StringProtocol) {
        if let network = IPNetwork(text) {
            self = network
        } else if let address = IPAddress(text) {
            self.init(only: address)
        } else {
            return nil
        }
    }

    /// Whether `address` is in the block. An IPv4 address is in no IPv6 block, v4-mapped ones included.
    public func contains(_ address: IPAddress) -> Bool {
        Self.masked(address, prefixLength) == base
    }

    /// The canonical text, `10.0.0.0/8`.
    public var description: String { "\(base)/\(prefixLength)" }

    private static func masked(_ address: IPAddress, _ length: Int) -> IPAddress? {
        switch address {
        case .v4(let number):
            guard (0...32).contains(length) else { return nil }
            // Swift's smart shift gives 0 for a shift by the whole width.
            return .v4(number & (UInt32.max << UInt32(32 - length)))
        case .v6(let high, let low):
            guard (0...128).contains(length) else { return nil }
            return .v6(
                high: high & (UInt64.max << UInt64(max(0, 64 - length))),
                low: low & (UInt64.max << UInt64(min(64, 128 - length))))
        }
    }
}
