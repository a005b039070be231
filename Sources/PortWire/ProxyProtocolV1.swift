import HTTPWire
import NIOCore

/// Version 1: one line of text (§2.1).
enum ProxyProtocolV1 {
    private static let start = Array("PROXY ".utf8)
    /// The longest line there is, its CRLF included.
    private static let maxBytes = 107

    static func parse(_ buffer: inout ByteBuffer) throws(ProxyProtocolError) -> ProxyProtocolHeader? {
        let bytes = buffer.readableBytesView
        guard bytes.prefix(self.start.count).elementsEqual(self.start.prefix(bytes.count)) else {
            throw .missing
        }
        guard let end = bytes.prefix(self.maxBytes).firstIndex(of: ASCII.lineFeed) else {
            if bytes.count >= self.maxBytes { throw .malformed("the line is longer than 107 octets") }
            return nil
        }
        guard bytes[..<end].last == ASCII.carriageReturn else { throw .malformed("a bare line feed") }
        let header = try self.header(String(decoding: bytes[..<end].dropLast(), as: UTF8.self))
        buffer.moveReaderIndex(to: end + 1)
        return header
    }

    private static func header(_ line: String) throws(ProxyProtocolError) -> ProxyProtocolHeader {
        let words = line.split(separator: " ", omittingEmptySubsequences: false)
        // Whatever follows UNKNOWN is to be ignored.
        if words.count >= 2, words[1] == "UNKNOWN" { return ProxyProtocolHeader() }
        guard words.count == 6 else { throw .malformed("\(words.count) words instead of 6") }
        guard words[1] == "TCP4" || words[1] == "TCP6" else { throw .malformed("neither TCP4 nor TCP6") }
        let isV6 = words[1] == "TCP6"
        return ProxyProtocolHeader(
            source: try self.endpoint(words[2], words[4], isV6: isV6),
            destination: try self.endpoint(words[3], words[5], isV6: isV6))
    }

    private static func endpoint(
        _ address: Substring, _ port: Substring, isV6: Bool
    ) throws(ProxyProtocolError) -> ProxyProtocolHeader.Endpoint {
        guard let address = IPAddress(address) else { throw .malformed("an address that is none") }
        if case .v4 = address, isV6 { throw .malformed("an IPv4 address under TCP6") }
        if case .v6 = address, !isV6 { throw .malformed("an IPv6 address under TCP4") }
        guard (1...5).contains(port.utf8.count), port.utf8.allSatisfy(ASCII.isDigit),
            port.utf8.count == 1 || port.utf8.first != UInt8(ascii: "0"), let number = UInt16(port)
        else { throw .malformed("a port that is none") }
        return .init(address: address, port: number)
    }
}
