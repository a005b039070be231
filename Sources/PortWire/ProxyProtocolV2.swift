import HTTPWire
import NIOCore

/// Version 2: binary (§2.2).
enum ProxyProtocolV2 {
    static let signature: [UInt8] = [
        0x0D, 0x0A, 0x0D, 0x0A, 0x00, 0x0D, 0x0A, 0x51, 0x55, 0x49, 0x54, 0x0A,
    ]
    /// Addresses take 216 octets at most, what HAProxy and cloud balancers add some hundred. 4 KiB holds a
    /// certificate's names too.
    private static let maxLength = 4096

    /// The octets of one address, by the family's number.
    private static let addressLengths: [UInt8: Int] = [1: 4, 2: 16]
    private static let unixLength = 216

    static func parse(_ buffer: inout ByteBuffer) throws(ProxyProtocolError) -> ProxyProtocolHeader? {
        guard buffer.readableBytesView.prefix(12).elementsEqual(self.signature.prefix(buffer.readableBytes))
        else {
            throw .missing
        }
        var rest = buffer
        rest.moveReaderIndex(forwardBy: min(12, rest.readableBytes))
        guard let command = rest.readInteger(as: UInt8.self) else { return nil }
        guard command >> 4 == 2 else { throw .malformed("version \(command >> 4)") }
        guard command & 0xF <= 1 else { throw .malformed("command \(command & 0xF)") }
        guard let family = rest.readInteger(as: UInt8.self), let length = rest.readInteger(as: UInt16.self)
        else {
            return nil
        }
        guard Int(length) <= self.maxLength else { throw .malformed("\(length) octets are more than 4096") }
        guard var content = rest.readSlice(length: Int(length)) else { return nil }
        let header = try self.header(family, &content, isLocal: command & 0xF == 0)
        buffer = rest
        return header
    }

    private static func header(
        _ family: UInt8, _ content: inout ByteBuffer, isLocal: Bool
    ) throws(ProxyProtocolError) -> ProxyProtocolHeader {
        // LOCAL: the sender's own connection, and whatever the family says is to be ignored.
        if isLocal { return ProxyProtocolHeader() }
        guard family >> 4 <= 3, family & 0xF <= 2 else {
            throw .malformed("family \(family >> 4), protocol \(family & 0xF)")
        }
        guard family & 0xF != 2 else { throw .malformed("datagrams") }
        var header = ProxyProtocolHeader()
        if family >> 4 == 3 {
            guard content.readSlice(length: self.unixLength) != nil else {
                throw .malformed("truncated addresses")
            }
        } else if let size = self.addressLengths[family >> 4] {
            guard let source = self.address(&content, size), let destination = self.address(&content, size),
                let sourcePort = content.readInteger(as: UInt16.self),
                let destinationPort = content.readInteger(as: UInt16.self)
            else { throw .malformed("truncated addresses") }
            // Without a protocol the addresses mean nothing.
            if family & 0xF == 1 {
                header.source = .init(address: source, port: sourcePort)
                header.destination = .init(address: destination, port: destinationPort)
            }
        } else {
            // Of an unspecified family nobody knows where addresses end.
            return header
        }
        try self.checkExtensions(&content)
        return header
    }

    private static func address(_ content: inout ByteBuffer, _ size: Int) -> IPAddress? {
        content.readBytes(length: size).flatMap { IPAddress(bytes: $0) }
    }

    /// Type, length, value: none is used, but each must be whole.
    private static func checkExtensions(_ content: inout ByteBuffer) throws(ProxyProtocolError) {
        while content.readableBytes > 0 {
            guard content.readInteger(as: UInt8.self) != nil,
                let length = content.readInteger(as: UInt16.self),
                content.readSlice(length: Int(length)) != nil
            else { throw .malformed("a truncated extension") }
        }
    }
}
