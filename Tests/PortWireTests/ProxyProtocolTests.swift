import HTTPWire
import NIOCore
import Testing

@testable import PortWire

@Suite("The PROXY protocol") struct ProxyProtocolTests {
    static let signature: [UInt8] = [13, 10, 13, 10, 0, 13, 10, 0x51, 0x55, 0x49, 0x54, 10]
    static let v4: [UInt8] = [192, 0, 2, 1, 198, 51, 100, 2, 0x30, 0x39, 0, 80]
    static let v6: [UInt8] = [0x20, 1, 0xD, 0xB8] + Array(repeating: 0, count: 11) + [1]

    static func version2(_ command: UInt8, _ family: UInt8, _ content: [UInt8], length: Int? = nil) -> [UInt8]
    {
        let length = UInt16(length ?? content.count)
        return Self.signature + [command, family, UInt8(length >> 8), UInt8(length & 0xFF)] + content
    }

    /// The header, the error, and what is left.
    struct Outcome: Equatable {
        var header: ProxyProtocolHeader?
        var error: ProxyProtocolError?
        var rest: [UInt8] = []
    }

    /// Whole and byte by byte.
    static func parse(_ bytes: [UInt8], packet: Int) -> Outcome {
        var buffer = ByteBuffer()
        var outcome = Outcome()
        for byte in stride(from: 0, to: bytes.count, by: packet) {
            buffer.writeBytes(bytes[byte..<min(bytes.count, byte + packet)])
            guard outcome.header == nil, outcome.error == nil else { continue }
            let before = buffer.readableBytes
            do {
                outcome.header = try ProxyProtocolHeader.parse(&buffer)
                if outcome.header == nil { #expect(buffer.readableBytes == before, "nothing is taken early") }
            } catch {
                outcome.error = error
            }
        }
        if outcome.header != nil { outcome.rest = Array(buffer.readableBytesView) }
        return outcome
    }

    @Test(
        "good headers tell the client, and leave what follows, however they are cut",
        arguments: [
            (Array("PROXY TCP4 192.0.2.1 198.51.100.2 12345 80\r\n".utf8), "192.0.2.1", 12345),
            (Array("PROXY TCP6 2001:db8::1 2001:db8::2 1 65535\r\n".utf8), "2001:db8::1", 1),
            (Array("PROXY UNKNOWN\r\n".utf8), nil, 0),
            (Array("PROXY UNKNOWN ffff:f...f:ffff whatever 1 2\r\n".utf8), nil, 0),
            (version2(0x21, 0x11, v4), "192.0.2.1", 12345),
            (version2(0x21, 0x21, v6 + v6 + [0, 1, 0, 2]), "2001:db8::1", 1),
            (version2(0x21, 0x11, v4 + [4, 0, 2, 9, 9]), "192.0.2.1", 12345),
            (version2(0x20, 0x11, v4), nil, 0), (version2(0x20, 0x00, []), nil, 0),
            (version2(0x20, 0xFF, [1, 2]), nil, 0), (version2(0x21, 0x00, [1, 2, 3]), nil, 0),
            (version2(0x21, 0x31, Array(repeating: 0, count: 216)), nil, 0),
        ] as [([UInt8], String?, UInt16)])
    func good(bytes: [UInt8], address: String?, port: UInt16) throws {
        for packet in [bytes.count + 4, 1, 3] {
            let outcome = Self.parse(bytes + Array("GET ".utf8), packet: packet)
            let header = try #require(outcome.header)
            #expect(header.source?.address.description == address)
            if address != nil { #expect(header.source?.port == port) }
            #expect(outcome.rest == Array("GET ".utf8))
        }
    }

    @Test(
        "what is no header is refused, however it is cut",
        arguments: [
            "GET / HTTP/1.1\r\n", "PROXYTCP4", "PROXY TCP5 1.2.3.4 1.2.3.4 1 2\r\n", "\u{5}\u{1}\u{0}",
            " PROXY ",
            "PROXY TCP4 1.2.3.4 1.2.3.4 1\r\n", "PROXY TCP4 1.2.3.4 1.2.3.4 1 2 3\r\n", "PROXY \r\n",
            "PROXY TCP4  1.2.3.4 1.2.3.4 1 2\r\n", "PROXY TCP4 1.2.3.4 1.2.3.4 1 2\n",
            "PROXY tcp4 1.2.3.4 1.2.3.4 1 2\r\n",
            "PROXY TCP4 ::1 ::1 1 2\r\n", "PROXY TCP6 1.2.3.4 1.2.3.4 1 2\r\n",
            "PROXY TCP4 1.2.3.4 ::1 1 2\r\n",
            "PROXY TCP4 1.2.3.4 1.2.3.4 01 2\r\n", "PROXY TCP4 1.2.3.4 1.2.3.4 65536 2\r\n",
            "PROXY TCP4 1.2.3.4 1.2.3.4 -1 2\r\n", "PROXY TCP4 1.2.3.04 1.2.3.4 1 2\r\n",
            "PROXY UDP4 1.2.3.4 1.2.3.4 1 2\r\n",
            "PROXY TCP4 " + String(repeating: "1", count: 100),
        ])
    func badText(text: String) {
        for packet in [text.utf8.count, 1, 3] {
            #expect(Self.parse(Array(text.utf8), packet: packet).error != nil)
        }
    }

    @Test(
        "a malformed binary header is refused, however it is cut",
        arguments: [
            version2(0x11, 0x11, v4), version2(0x22, 0x11, v4), version2(0x21, 0x12, v4),
            version2(0x21, 0x41, v4),
            version2(0x21, 0x13, v4), version2(0x21, 0x11, Array(v4.dropLast())), version2(0x21, 0x11, []),
            version2(0x21, 0x21, v4), version2(0x21, 0x31, Array(repeating: 0, count: 215)),
            version2(0x21, 0x11, v4 + [4]), version2(0x21, 0x11, v4 + [4, 0, 9, 1]),
            version2(0x21, 0x11, v4, length: 4097), Array(signature.dropLast()) + [11],
        ])
    func badBinary(bytes: [UInt8]) {
        for packet in [bytes.count, 1, 5] { #expect(Self.parse(bytes, packet: packet).error != nil) }
    }

    @Test("a truncated header is waited for, never taken for one")
    func truncated() {
        for whole in [Self.version2(0x21, 0x11, Self.v4), Array("PROXY TCP4 1.2.3.4 1.2.3.4 1 2\r\n".utf8)] {
            for count in 0..<whole.count {
                #expect(Self.parse(Array(whole.prefix(count)), packet: 7) == Outcome())
            }
        }
    }

    @Test("the first octet tells the protocol")
    func protocols() {
        #expect(ConnectionProtocol(firstOctet: 5) == .socks)
        #expect(ConnectionProtocol(firstOctet: 4) == .socks)
        #expect(ConnectionProtocol(firstOctet: 0x16) == .tls)
        for octet in "CGPOD\r\n".utf8 { #expect(ConnectionProtocol(firstOctet: octet) == .http) }
    }
}
