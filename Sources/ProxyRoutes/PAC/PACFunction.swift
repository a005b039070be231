package import HTTPWire

/// What a script can call, besides the language itself: Netscape's functions of 1996 and Microsoft's for IPv6.
///
/// Arguments come as text, because JavaScript turns them into each other as it likes.
package enum PACFunction: String, Sendable, CaseIterable {
    case isPlainHostName, dnsDomainIs, localHostOrDomainIs, isResolvable, isResolvableEx, isInNet, isInNetEx
    case dnsResolve, dnsResolveEx, myIpAddress, myIpAddressEx, sortIpAddressList, dnsDomainLevels, shExpMatch
    case weekdayRange, dateRange, timeRange, getClientVersion, alert

    /// What a function gives back.
    package enum Value: Sendable, Hashable {
        case null
        case boolean(Bool)
        case number(Double)
        case text(String)
    }

    /// What a function may ask of the world.
    package protocol World {
        /// The addresses of a name; none where it has none. Blocks.
        func addresses(of name: String) -> [IPAddress]
        /// This machine's, those by which it reaches others first.
        var ownAddresses: [IPAddress] { get }
        /// - Parameter isGMT: in Greenwich, not here.
        func now(isGMT: Bool) -> PACMoment
        /// The script tells something.
        func alert(_ message: String)
    }

    /// The function's value; what makes no sense is false or null, as browsers have it, and never an error.
    package func call(_ arguments: [String], _ world: some World) -> Value {
        let (first, second) = (arguments.first ?? "", arguments.count > 1 ? arguments[1] : "")
        return switch self {
        case .isPlainHostName: .boolean(!first.contains(".") && !first.contains(":"))
        case .dnsDomainIs: .boolean(!second.isEmpty && first.lowercased().hasSuffix(second.lowercased()))
        case .localHostOrDomainIs:
            .boolean(
                first.lowercased() == second.lowercased()
                    || second.lowercased().hasPrefix(first.lowercased() + "."))
        case .isResolvable: .boolean(Self.firstV4(first, world) != nil)
        case .isResolvableEx: .boolean(!Self.addresses(of: first, world).isEmpty)
        case .isInNet: .boolean(Self.isInNet(arguments, world))
        case .isInNetEx: .boolean(Self.isInNetEx(first, second))
        case .dnsResolve: Self.firstV4(first, world).map { .text("\($0)") } ?? .null
        case .dnsResolveEx: .text(Self.list(Self.addresses(of: first, world)))
        case .myIpAddress: .text("\(world.ownAddresses.first(where: \.isV4) ?? .loopback)")
        case .myIpAddressEx: .text(Self.list(world.ownAddresses))
        case .sortIpAddressList: Self.sorted(first)
        case .dnsDomainLevels: .number(Double(first.utf8.count { $0 == UInt8(ascii: ".") }))
        case .shExpMatch: .boolean(ShellPattern.matches(first, second))
        case .weekdayRange: .boolean(PACMoment.isInWeekdays(arguments, now: world.now))
        case .dateRange: .boolean(PACMoment.isInDates(arguments, now: world.now))
        case .timeRange: .boolean(PACMoment.isInTimes(arguments, now: world.now))
        case .getClientVersion: .text("1.0")
        case .alert: Self.tell(first, world)
        }
    }

    private static func tell(_ message: String, _ world: some World) -> Value {
        world.alert(message)
        return .null
    }

    // MARK: Addresses

    private static func addresses(of host: String, _ world: some World) -> [IPAddress] {
        IPAddress(host).map { [$0] } ?? world.addresses(of: host)
    }

    private static func firstV4(_ host: String, _ world: some World) -> IPAddress? {
        self.addresses(of: host, world).first(where: \.isV4)
    }

    private static func list(_ addresses: [IPAddress]) -> String {
        addresses.map(\.description).joined(separator: ";")
    }

    /// `isInNet(host, "10.0.0.0", "255.0.0.0")`.
    private static func isInNet(_ arguments: [String], _ world: some World) -> Bool {
        guard arguments.count >= 3, case .v4(let base)? = IPAddress(arguments[1]),
            case .v4(let mask)? = IPAddress(arguments[2]),
            case .v4(let address)? = self.firstV4(arguments[0], world)
        else { return false }
        return address & mask == base & mask
    }

    private static func isInNetEx(_ address: String, _ network: String) -> Bool {
        guard let address = IPAddress(address), let network = IPNetwork(network) else { return false }
        return network.contains(address)
    }

    /// IPv6 first, each family in ascending order; false where one of them is no address.
    private static func sorted(_ list: String) -> Value {
        let texts = list.split(separator: ";")
        let addresses = texts.compactMap { IPAddress($0.filter { !$0.isWhitespace }) }
        guard !addresses.isEmpty, addresses.count == texts.count else { return .boolean(false) }
        let ordered = addresses.sorted { a, b in
            a.isV4 == b.isV4 ? a.bytes.lexicographicallyPrecedes(b.bytes) : b.isV4
        }
        return .text(self.list(ordered))
    }
}

extension IPAddress {
    fileprivate var isV4: Bool { if case .v4 = self { true } else { false } }
}
