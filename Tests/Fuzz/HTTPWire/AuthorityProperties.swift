import HTTPWire

/// What must hold of authorities and addresses for any text.
enum AuthorityProperties {
    static func check(_ bytes: [UInt8]) {
        let text = String(decoding: bytes, as: UTF8.self)
        if let address = IPAddress(text) {
            require(IPAddress(address.description) == address, "an address prints to what parses to it")
            require(IPAddress(bytes: address.bytes) == address, "an address is its octets")
        }
        if let network = IPNetwork(text) {
            require(IPNetwork(network.description) == network, "a network prints to what parses to it")
            require(network.contains(network.base), "a network contains its first address")
        }
        do {
            let authority = try Authority(text, defaultPort: 80)
            let printed = authority.description
            require((try? Authority(printed)) == authority, "an authority prints to what parses to it")
            require(printed.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7f }, "an authority is visible ASCII")
            require(!printed.utf8.contains { (0x41...0x5a).contains($0) }, "an authority has no upper case")
            if case .name(let name) = authority.host {
                require(IPAddress(name) == nil, "a name is no address")
                require(name.utf8.count <= 253 && name.utf8.last != UInt8(ascii: "."), "a name is a DNS name")
            }
        } catch {
            require(error.description.utf8.allSatisfy { $0 >= 0x20 && $0 != 0x7f }, "an error is safe to log")
        }
    }
}
