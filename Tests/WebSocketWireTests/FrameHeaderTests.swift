import NIOCore
import Testing
import WebSocketWire

@Suite("Frame heads")
struct FrameHeaderTests {
    private static let toClient = FrameHeader.Rules(
        expectsMask: false, allowsRSV1: false, maxFrameBytes: 1 << 20)
    private static let toServer = FrameHeader.Rules(
        expectsMask: true, allowsRSV1: false, maxFrameBytes: 1 << 20)

    private static func parse(
        _ bytes: ByteBuffer, _ rules: FrameHeader.Rules
    ) throws(WebSocketProtocolError) -> (FrameHeader?, ByteBuffer) {
        var bytes = bytes
        return (try FrameHeader.parse(&bytes, rules: rules), bytes)
    }

    @Test(
        "good heads",
        arguments: [
            ("81 05", .init(fin: true, opcode: .text, maskKey: nil, payloadLength: 5)),
            ("01 00", .init(fin: false, opcode: .text, maskKey: nil, payloadLength: 0)),
            ("82 7d", .init(fin: true, opcode: .binary, maskKey: nil, payloadLength: 125)),
            ("82 7e 007e", .init(fin: true, opcode: .binary, maskKey: nil, payloadLength: 126)),
            ("82 7e ffff", .init(fin: true, opcode: .binary, maskKey: nil, payloadLength: 65_535)),
            (
                "82 7f 0000000000010000",
                .init(fin: true, opcode: .binary, maskKey: nil, payloadLength: 65_536)
            ),
            ("80 01", .init(fin: true, opcode: .continuation, maskKey: nil, payloadLength: 1)),
            ("00 01", .init(fin: false, opcode: .continuation, maskKey: nil, payloadLength: 1)),
            ("88 02", .init(fin: true, opcode: .close, maskKey: nil, payloadLength: 2)),
            ("89 7d", .init(fin: true, opcode: .ping, maskKey: nil, payloadLength: 125)),
            ("8a 00", .init(fin: true, opcode: .pong, maskKey: nil, payloadLength: 0)),
        ] as [(String, FrameHeader)])
    func good(hex: String, expected: FrameHeader) throws {
        let tail = Wire.hex("c0ffee")
        let head = Wire.hex(hex)
        let (header, rest) = try Self.parse(Wire.join([head, tail]), Self.toClient)
        #expect(header == expected)
        #expect(rest == tail)
        for length in 0..<head.readableBytes {
            let part = ByteBuffer(bytes: head.readableBytesView.prefix(length))
            let (none, kept) = try Self.parse(part, Self.toClient)
            #expect(none == nil)
            #expect(kept == part)
        }
    }

    @Test(
        "a masked head needs its key", arguments: ["81 85 37fa213d", "82 fe 0100 37fa213d", "89 80 37fa213d"])
    func masked(hex: String) throws {
        let head = Wire.hex(hex)
        let (header, rest) = try Self.parse(head, Self.toServer)
        #expect(header?.maskKey == 0x37fa_213d)
        #expect(rest.readableBytes == 0)
        let (none, _) = try Self.parse(ByteBuffer(bytes: head.readableBytesView.dropLast()), Self.toServer)
        #expect(none == nil)
    }

    @Test(
        "broken heads are refused as soon as the bytes that break a rule are there",
        arguments: [
            ("c1 00", "reserved bit 1"), ("a1 00", "reserved bit"), ("91 00", "reserved bit"),
            ("f1 00", "reserved bit"),
            ("83 00", "reserved opcode 3"), ("84 00", "reserved opcode 4"), ("85 00", "reserved opcode 5"),
            ("86 00", "reserved opcode 6"), ("87 00", "reserved opcode 7"), ("8b 00", "reserved opcode 11"),
            ("8c 00", "reserved opcode 12"), ("8d 00", "reserved opcode 13"), ("8e 00", "reserved opcode 14"),
            ("8f 00", "reserved opcode 15"), ("03 00", "reserved opcode 3"),
            ("08 00", "control frame in fragments"), ("09 00", "control frame in fragments"),
            ("0a 00", "control frame in fragments"),
            ("88 7e", "more than 125"), ("89 7e", "more than 125"), ("8a 7f", "more than 125"),
            ("81 80", "masked frame from a server"), ("89 80", "masked frame from a server"),
            ("82 7e 007d", "one is enough"), ("82 7e 0000", "one is enough"),
            ("82 7f 000000000000ffff", "fewer are enough"), ("82 7f 0000000000000000", "fewer are enough"),
            ("82 7f 8000000000000000", "63 bits"), ("82 7f ffffffffffffffff", "63 bits"),
        ])
    func broken(hex: String, rule: String) {
        let error = #expect(throws: WebSocketProtocolError.self) {
            try Self.parse(Wire.hex(hex), Self.toClient)
        }
        #expect(error?.closeCode == .protocolError)
        #expect(error?.detail.contains(rule) == true)
    }

    @Test("a client's frame must be masked", arguments: ["81 00", "89 00", "88 00", "82 7e"])
    func unmasked(hex: String) {
        let error = #expect(throws: WebSocketProtocolError.self) {
            try Self.parse(Wire.hex(hex), Self.toServer)
        }
        #expect(error?.detail == "an unmasked frame from a client")
    }

    @Test(
        "a frame over the limit is refused at its head with 1009, whatever it promises",
        arguments: ["82 7f 0000000000100001", "82 7f 7fffffffffffffff"])
    func tooBig(hex: String) {
        let error = #expect(throws: WebSocketProtocolError.self) {
            try Self.parse(Wire.hex(hex), Self.toClient)
        }
        #expect(error?.closeCode == .messageTooBig)
    }

    @Test("reserved bit 1 is for the first data frame of a message, when an extension was negotiated")
    func reservedBitOne() throws {
        let rules = FrameHeader.Rules(expectsMask: false, allowsRSV1: true, maxFrameBytes: 100)
        #expect(try Self.parse(Wire.hex("c1 00"), rules).0?.rsv1 == true)
        #expect(try Self.parse(Wire.hex("42 00"), rules).0?.rsv1 == true)
        #expect(try Self.parse(Wire.hex("81 00"), rules).0?.rsv1 == false)
        for hex in ["c0 00", "c8 00", "c9 00", "ca 00", "e1 00", "d1 00"] {
            #expect(throws: WebSocketProtocolError.self) { try Self.parse(Wire.hex(hex), rules) }
        }
    }

    @Test(
        "what is written parses to what was asked for",
        arguments: [0, 1, 125, 126, 127, 65_535, 65_536, 70_000])
    func roundTrip(length: Int) throws {
        let payload = ByteBuffer(repeating: 0x2A, count: length)
        for key in [nil, 0x0102_0304 as UInt32] {
            for opcode in WebSocketOpcode.allCases where !opcode.isControl || length <= 125 {
                let fin = opcode != .continuation
                var written = ByteBuffer()
                writeFrame(opcode: opcode, fin: fin, payload: payload, maskKey: key, into: &written)
                let (header, rest) = try Self.parse(written, key == nil ? Self.toClient : Self.toServer)
                #expect(header == FrameHeader(fin: fin, opcode: opcode, maskKey: key, payloadLength: length))
                var content = Array(rest.readableBytesView)
                if let key { content.withUnsafeMutableBytes { Masking.apply(key: key, to: $0) } }
                #expect(content == Array(payload.readableBytesView))
            }
        }
    }
}
