package import HTTPWire

/// The targets that go direct, as `NO_PROXY` lists them.
package struct NoProxy: Sendable, Hashable {
    /// What the reader of the list should be told: entries that match nothing they may have meant.
    package let warnings: [String]

    private let entries: [Entry]
    private let loopbackIsDirect: Bool

    private enum Entry: Sendable, Hashable {
        case everything
        /// The name itself and all below it.
        case domain(String, port: UInt16?)
        case address(IPAddress, port: UInt16?)
        case network(IPNetwork)
    }

    /// Reads a list whose entries are parted by commas or spaces.
    ///
    /// `example.com` also means everything below it, and so do `.example.com` and `*.example.com`; `host:port`
    /// limits an entry to a port; addresses and networks match IP literals only, never resolved names;
    /// `*` means every target. `localhost` and the loopback addresses are direct unless `<-loopback>` is listed.
    package init(_ list: String) {
        var entries: [Entry] = []
        var warnings: [String] = []
        var loopbackIsDirect = true
        for item in list.split(whereSeparator: { $0 == "," || $0.isWhitespace }) {
            if item == "<-loopback>" {
                loopbackIsDirect = false
            } else if let entry = Self.entry(item) {
                entries.append(entry)
            } else {
                warnings.append(
                    "NO_PROXY entry \"\(item.prefix(80))\" matches nothing; \(Self.advice(for: item))")
            }
        }
        self.entries = entries
        self.warnings = warnings
        self.loopbackIsDirect = loopbackIsDirect
    }

    /// Whether the target goes direct.
    package func matches(_ target: Authority) -> Bool {
        if self.loopbackIsDirect, Self.isLoopback(target.host) { return true }
        return self.entries.contains { Self.matches($0, target) }
    }

    private static func matches(_ entry: Entry, _ target: Authority) -> Bool {
        switch (entry, target.host) {
        case (.everything, _):
            true
        case (.domain(let domain, let port), .name(let name)):
            (port == nil || port == target.port) && (name == domain || name.hasSuffix("." + domain))
        case (.address(let address, let port), .address(let targetAddress)):
            (port == nil || port == target.port) && address == targetAddress
        case (.network(let network), .address(let address)):
            network.contains(address)
        case (.domain, .address), (.address, .name), (.network, .name):
            false
        }
    }

    private static func isLoopback(_ host: Authority.Host) -> Bool {
        switch host {
        case .name(let name): name == "localhost" || name.hasSuffix(".localhost")
        case .address(let address): address.isLoopback
        }
    }

    private static func entry(_ item: Substring) -> Entry? {
        if item == "*" { return .everything }
        if item.contains("/") { return IPNetwork(item).map(Entry.network) }
        if let address = IPAddress(item) { return .address(address, port: nil) }

        var name = item
        if name.hasPrefix("*.") {
            name = name.dropFirst(2)
        } else if name.hasPrefix(".") {
            name = name.dropFirst()
        }
        // `[::1]` and `example.com` carry no port; the default only makes them parse.
        let port = Self.port(of: name)
        guard let authority = try? Authority(name, defaultPort: 1) else { return nil }
        switch authority.host {
        case .name(let text): return text.contains("*") ? nil : .domain(text, port: port)
        case .address(let address): return .address(address, port: port)
        }
    }

    private static func port(of item: Substring) -> UInt16? {
        guard let colon = item.lastIndex(of: ":"), !item[colon...].contains("]") else { return nil }
        return UInt16(item[item.index(after: colon)...])
    }

    private static func advice(for item: Substring) -> String {
        item.contains(where: \.isNumber) && !item.contains(where: \.isLetter)
            ? "write a network as 10.0.0.0/8" : "write a name as example.com, which covers all below it too"
    }
}
