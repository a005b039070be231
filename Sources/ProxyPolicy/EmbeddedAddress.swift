package import HTTPWire

extension IPAddress {
    /// The IPv4 address that an IPv6 one carries, by which a translator or tunnel on the way may go on.
    package var embeddedV4: IPAddress? {
        guard case .v6(let high, let low) = self else { return nil }
        switch (high, low >> 32) {
        // v4-compatible, v4-mapped, v4-translated (RFC 2765); NAT64 (RFC 6052).
        case (0, 0) where low > 1, (0, 0xFFFF), (0, 0xFFFF_0000), (0x0064_FF9B_0000_0000, 0):
            return .v4(UInt32(truncatingIfNeeded: low))
        default: break
        }
        if self.isISATAP { return .v4(UInt32(truncatingIfNeeded: low)) }
        // 6to4 (RFC 3056).
        if high >> 48 == 0x2002 { return .v4(UInt32(truncatingIfNeeded: high >> 16)) }
        // Teredo (RFC 4380): the client's address, inverted.
        if high >> 32 == 0x2001_0000 { return .v4(~UInt32(truncatingIfNeeded: low)) }
        return nil
    }

    /// An interface identifier of ISATAP (RFC 5214 §6.1), which ends in an IPv4 address.
    package var isISATAP: Bool {
        guard case .v6(_, let low) = self else { return false }
        return low >> 32 == 0x0000_5EFE || low >> 32 == 0x0200_5EFE
    }
}
