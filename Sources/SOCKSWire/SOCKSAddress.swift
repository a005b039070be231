import HTTPWire
import NIOCore

/// An address as SOCKS 5 writes it: a type, the octets, the port (RFC 1928 §5).
enum SOCKSAddress {
    private static let v4: UInt8 = 1
    private static let name: UInt8 = 3
    private static let v6: UInt8 = 4

    /// What of a message may come out wrong.
    enum ParseError: Error, Hashable {
        case unknownType(UInt8)
        case malformed(AuthorityError)
    }

    /// Reads the address at the buffer's reader index; nil, and nothing is taken, while it is not whole.
    static func read(_ buffer: inout ByteBuffer) throws(ParseError) -> Authority? {
        var rest = buffer
        guard let bytes = try Self.readOctets(&rest) else { return nil }
        guard let port = rest.readInteger(as: UInt16.self) else { return nil }
        buffer = rest
        do {
            return try Authority(host: Self.host(bytes), port: Int(port))
        } catch {
            throw .malformed(error)
        }
    }

    /// Passes over an address whose content nobody looks at: that of a reply.
    static func skip(_ buffer: inout ByteBuffer) throws(ParseError) -> Bool {
        var rest = buffer
        guard try Self.readOctets(&rest) != nil, rest.readInteger(as: UInt16.self) != nil else {
            return false
        }
        buffer = rest
        return true
    }

    static func write(_ authority: Authority, into buffer: inout ByteBuffer) {
        switch authority.host {
        case .name(let name):
            // At most 253 octets: a name of an `Authority` is one of DNS.
            buffer.writeBytes([Self.name, UInt8(truncatingIfNeeded: name.utf8.count)])
            buffer.writeString(name)
        case .address(let address):
            let bytes = address.bytes
            buffer.writeInteger(bytes.count == 4 ? Self.v4 : Self.v6)
            buffer.writeBytes(bytes)
        }
        buffer.writeInteger(authority.port)
    }

    private enum Octets {
        case address([UInt8])
        case name([UInt8])
    }

    private static func readOctets(_ buffer: inout ByteBuffer) throws(ParseError) -> Octets? {
        guard let type = buffer.readInteger(as: UInt8.self) else { return nil }
        switch type {
        case Self.v4: return buffer.readBytes(length: 4).map(Octets.address)
        case Self.v6: return buffer.readBytes(length: 16).map(Octets.address)
        case Self.name:
            guard let length = buffer.readInteger(as: UInt8.self) else { return nil }
            return buffer.readBytes(length: Int(length)).map(Octets.name)
        default: throw .unknownType(type)
        }
    }

    private static func host(_ octets: Octets) -> String {
        switch octets {
        case .address(let bytes): IPAddress(bytes: bytes)?.description ?? ""
        // What is not UTF-8 is no name: an empty one is refused.
        case .name(let bytes): String(validating: bytes, as: UTF8.self) ?? ""
        }
    }
}
