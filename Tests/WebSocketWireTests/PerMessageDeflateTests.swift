import Foundation
import HTTPWire
import NIOCore
import Testing

@testable import WebSocketWire

/// A client and a server that agreed to compress, without the bytes of their handshake.
private struct Pair {
    var client: WebSocketMachine
    var server: WebSocketMachine

    init(
        client: WebSocketDeflateOptions = .compressingAll, server: WebSocketDeflateOptions = .compressingAll,
        limits: WebSocketLimits = WebSocketLimits()
    ) throws {
        let accepted = try #require(server.accept(offers: [client.offer.description]))
        let agreed = try client.check(answer: accepted.description)
        self.client = Wire.machine(
            .client, limits: limits, transform: PerMessageDeflate(role: .client, agreed, options: client))
        self.server = Wire.machine(
            .server, limits: limits, transform: PerMessageDeflate(role: .server, accepted, options: server))
    }
}

extension WebSocketDeflateOptions {
    /// Compresses the smallest message too.
    fileprivate static let compressingAll = WebSocketDeflateOptions { $0.threshold = 0 }

    fileprivate static func compressingAll(_ configure: (inout Self) -> Void) -> Self {
        var options = compressingAll
        configure(&options)
        return options
    }
}

extension WebSocketMachine {
    fileprivate mutating func frames(_ message: WebSocketMessage) throws -> ByteBuffer {
        var outbound = ByteBuffer()
        try send(message, outbound: &outbound)
        return outbound
    }

    /// Which contexts it holds.
    fileprivate var deflater: ObjectIdentifier? {
        (transform as? PerMessageDeflate)?.deflater.map(ObjectIdentifier.init)
    }
    fileprivate var inflater: ObjectIdentifier? {
        (transform as? PerMessageDeflate)?.inflater.map(ObjectIdentifier.init)
    }
}

@Suite("permessage-deflate")
struct PerMessageDeflateTests {
    private static let hello = WebSocketMessage.text("Hello")

    // MARK: The examples of RFC 7692 §7.2.3

    @Test("RFC 7692 §7.2.3.1 and .2: what we write for two hellos")
    func examplesSent() throws {
        var pair = try Pair()
        #expect(try pair.server.frames(Self.hello) == Wire.hex("c1 07 f2 48 cd c9 c9 07 00"))
        #expect(try pair.server.frames(Self.hello) == Wire.hex("c1 05 f2 00 11 00 00"))
        var forgetful = try Pair(server: .compressingAll { $0.keepsOutgoingContext = false })
        for _ in 0..<2 {
            #expect(try forgetful.server.frames(Self.hello) == Wire.hex("c1 07 f2 48 cd c9 c9 07 00"))
        }
    }

    @Test(
        "RFC 7692 §7.2.3: what we read",
        arguments: [
            "c1 07 f2 48 cd c9 c9 07 00",
            // In two frames.
            "41 03 f2 48 cd 80 04 c9 c9 07 00",
            // Without compression.
            "c1 0b 00 05 00 fa ff 48 65 6c 6c 6f 00",
            // A final block, and the byte behind it.
            "c1 08 f3 48 cd c9 c9 07 00 00",
            // Two blocks.
            "c1 0d f2 48 05 00 00 00 ff ff ca c9 c9 07 00",
        ])
    func examplesReceived(hex: String) throws {
        for pieces in [[Wire.hex(hex)], Wire.hex(hex).singleBytes] {
            var pair = try Pair()
            #expect(pair.client.feed(pieces).actions == [.message(Self.hello)])
            // The window holds the first message, also behind a final block.
            #expect(pair.client.feed(Wire.hex("c1 05 f2 00 11 00 00")).actions == [.message(Self.hello)])
        }
    }

    @Test("RFC 7692 §7.2.3.6: the end of a message without bytes is one zero byte")
    func emptyEnd() throws {
        var pair = try Pair()
        #expect(try pair.server.frames(.text("")) == Wire.hex("c1 01 00"))
        var outbound = ByteBuffer()
        let bytes = ByteBuffer(string: "Hello")
        try pair.server.send(fragment: bytes, opcode: .text, fin: false, outbound: &outbound)
        try pair.server.send(fragment: ByteBuffer(), opcode: .text, fin: true, outbound: &outbound)
        #expect(outbound == Wire.hex("41 0b f2 48 cd c9 c9 07 00 00 00 ff ff 80 01 00"))
        #expect(pair.client.feed(outbound).actions == [.message(Self.hello)])
        #expect(pair.client.feed(Wire.hex("c1 01 00")).actions == [.message(.text(""))])
    }

    @Test("senders that end a message in their own way are understood")
    func lenientEnds() throws {
        var pair = try Pair()
        // A final block without the byte behind it, the tail not cut off, a payload of no bytes.
        for hex in ["c1 07 f3 48 cd c9 c9 07 00", "c1 0b f2 48 cd c9 c9 07 00 00 00 ff ff"] {
            #expect(pair.client.feed(Wire.hex(hex)).actions == [.message(Self.hello)])
        }
        #expect(pair.client.feed(Wire.hex("c1 00")).actions == [.message(.text(""))])
        #expect(pair.client.feed(Wire.hex("41 00 80 00")).actions == [.message(.text(""))])
        #expect(pair.client.feed(Wire.hex("c1 05 f2 00 11 00 00")).actions == [.message(Self.hello)])
    }

    @Test(
        "an empty first fragment, an empty last one, a ping in between, a plain message among compressed ones"
    )
    func fragments() throws {
        let bytes = Wire.hex(
            "41 00 00 03 f2 48 cd 89 00 00 04 c9 c9 07 00 80 00 81 02 6869 c1 05 f2 00 11 00 00")
        for pieces in [[bytes], bytes.singleBytes] {
            var pair = try Pair()
            #expect(
                pair.client.feed(pieces).actions == [
                    .ping(ByteBuffer()), .message(Self.hello), .message(.text("hi")), .message(Self.hello),
                ])
        }
    }

    @Test(
        "the mark is for the first frame of a message only",
        arguments: ["41 00 c0 00", "c9 00", "c8 00", "ca 00"])
    func misplacedMark(hex: String) throws {
        var pair = try Pair()
        let expected = WebSocketProtocolError.violation("reserved bit 1 is set where no extension uses it")
        #expect(pair.client.feed(Wire.hex(hex)).actions == [.failed(expected)])
    }

    // MARK: What cannot be inflated

    @Test(
        "a payload that is no deflate is 1007",
        arguments: [
            // A block of reserved type; a stored block whose lengths disagree; a reference before the start.
            "c2 01 07", "c2 05 00 01 00 00 00", "c2 02 02 02", "c2 03 4b 04 12",
            // Cut in a stored block, in a code, before the code's end.
            "c2 06 00 07 00 f8 ff 48", "c2 03 f2 48 cd", "c2 06 f2 48 cd c9 c9 07",
            // A final block, and junk behind it.
            "c2 09 f3 48 cd c9 c9 07 00 ff ff", "c2 01 05",
        ])
    func malformed(hex: String) throws {
        for pieces in [[Wire.hex(hex)], Wire.hex(hex).singleBytes] {
            var pair = try Pair()
            let outcome = pair.client.feed(pieces)
            guard case .failed(let error) = outcome.actions.first else {
                Issue.record("\(outcome.actions)")
                return
            }
            #expect(error.closeCode == .invalidPayload)
            #expect(outcome.actions.count == 1)
        }
    }

    @Test("inflated text is checked, also across pieces")
    func text() throws {
        var pair = try Pair()
        var bad = try pair.server.frames(.binary(ByteBuffer(bytes: [0x61, 0xC3, 0x28])))
        bad.setInteger(UInt8(0xC1), at: bad.readerIndex)
        for pieces in [[bad], bad.singleBytes] {
            var client = pair.client
            guard case .failed(let error) = client.feed(pieces).actions.last else {
                Issue.record("text that is not UTF-8 must fail")
                return
            }
            #expect(error.closeCode == .invalidPayload)
        }
    }

    // MARK: Limits

    @Test("a bomb fails while it is inflated, and memory stays near the limit", arguments: [1, 1000, 64_000])
    func bomb(packet: Int) throws {
        let limits = WebSocketLimits { $0.maxMessageBytes = 1 << 20 }
        var pair = try Pair(limits: limits)
        var wire = try pair.server.frames(.binary(ByteBuffer(repeating: 0, count: 64 << 20)))
        #expect(wire.readableBytes < 70_000)
        var outcome = Outcome()
        while outcome.actions.isEmpty, let piece = wire.readSlice(length: min(packet, wire.readableBytes)),
            piece.readableBytes > 0
        {
            pair.client.receive(piece)
            pair.client.drain(into: &outcome)
            #expect(pair.client.bufferedBytes <= (1 << 20) + 64_000)
        }
        #expect(outcome.actions == [.failed(.tooBig("a message of more than 1048576 bytes, inflated"))])
        #expect(wire.readableBytes > 0 || packet == 64_000, "it fails before the whole has come")
    }

    @Test("a message of exactly the limit passes, one more byte does not")
    func exactLimit() throws {
        for (count, passes) in [(999, true), (1000, true), (1001, false)] {
            var pair = try Pair(limits: WebSocketLimits { $0.maxMessageBytes = 1000 })
            let message = WebSocketMessage.binary(ByteBuffer(repeating: 7, count: count))
            let frames = try pair.server.frames(message)
            for pieces in [[frames], frames.singleBytes] {
                var client = pair.client
                let actions = client.feed(pieces).actions
                #expect((actions == [.message(message)]) == passes)
            }
        }
    }

    @Test("past the free part, a byte on the wire may stand for so many and no more")
    func ratio() throws {
        let limits = WebSocketLimits { $0.maxMessageBytes = 1 << 30 }
        let options = WebSocketDeflateOptions {
            $0.ratioFreeBytes = 100_000
            $0.maxRatio = 50
        }
        for (count, passes) in [(100_000, true), (100_001, false), (5_000_000, false)] {
            var pair = try Pair(client: options, limits: limits)
            let zeros = ByteBuffer(repeating: 0, count: count)
            let actions = pair.client.feed(try pair.server.frames(.binary(zeros))).actions
            let failure = WebSocketProtocolError.tooBig(
                "a message that inflates to more than 50 times its size")
            #expect(actions == [passes ? .message(.binary(zeros)) : .failed(failure)])
        }
        // The same message where the ratio is no matter, and one that is no bomb where it is.
        var carefree = try Pair(client: .init { $0.maxRatio = nil }, limits: limits)
        let zeros = WebSocketMessage.binary(ByteBuffer(repeating: 0, count: 20 << 20))
        #expect(carefree.client.feed(try carefree.server.frames(zeros)).actions == [.message(zeros)])
        var pair = try Pair(client: options, limits: limits)
        let text = WebSocketMessage.text((0..<40_000).map { "line \($0)\n" }.joined())
        #expect(pair.client.feed(try pair.server.frames(text)).actions == [.message(text)])
    }

    @Test("many final blocks cost no more than their bytes")
    func finalBlocks() throws {
        var pair = try Pair()
        var payload: [UInt8] = []
        // A window full of bytes first, which a reset that keeps it must not copy each time.
        let first = try pair.server.frames(.binary(ByteBuffer(repeating: 1, count: 40_000)))
        #expect(pair.client.feed(first).actions.count == 1)
        for _ in 0..<500_000 { payload += [0x03, 0x00] }
        let before = Self.threadSeconds
        #expect(pair.client.feed(Wire.frame(0xC2, payload)).actions == [.message(.binary(ByteBuffer()))])
        #expect(Self.threadSeconds - before < 5, "copying 32 KiB for each would be 16 GB")
    }

    /// What this thread alone has used of a processor: other work on the machine does not count.
    private static var threadSeconds: Double {
        var time = timespec()
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
    }

    // MARK: Round trips

    private static let variants: [WebSocketDeflateOptions] =
        (8...15).map { bits in
            .compressingAll {
                $0.outgoingWindowBits = bits
                $0.incomingWindowBits = bits
            }
        } + [1, 9].map { level in .compressingAll { $0.level = level } }
        + [1, 5, 9].map { level in .compressingAll { $0.memoryLevel = level } }
        + [
            .compressingAll { $0.keepsOutgoingContext = false },
            .compressingAll { $0.keepsIncomingContext = false },
            .compressingAll {
                $0.keepsOutgoingContext = false
                $0.keepsIncomingContext = false
                $0.outgoingWindowBits = 9
            },
            WebSocketDeflateOptions(),
        ]

    /// Words that repeat at every distance, noise, runs; of many sizes.
    private static func payload(_ generator: inout SeededGenerator) -> [UInt8] {
        let count = [0, 1, 2, 63, 64, 255, 256, 257, 1000, 32_768, 70_000].randomElement(
            using: &generator, or: 0)
        var bytes: [UInt8] = []
        while bytes.count < count {
            switch Int.random(in: 0..<4, using: &generator) {
            case 0: bytes += (0..<40).map { _ in UInt8.random(in: 0...255, using: &generator) }
            case 1: bytes += [UInt8](repeating: 0x61, count: Int.random(in: 1...600, using: &generator))
            case 2: bytes += Array("the quick brown fox ".utf8)
            default:
                guard bytes.count > 300 else { continue }
                let start = Int.random(in: 0..<(bytes.count - 300), using: &generator)
                bytes += bytes[start..<(start + Int.random(in: 3...300, using: &generator))]
            }
        }
        return Array(bytes.prefix(count))
    }

    @Test("what is sent arrives, in both directions, whole and in fragments", arguments: variants)
    func roundTrip(options: WebSocketDeflateOptions) throws {
        for server in [WebSocketDeflateOptions.compressingAll, options] {
            var pair = try Pair(client: options, server: server)
            var generator = SeededGenerator(seed: 7)
            for _ in 0..<30 {
                let bytes = ByteBuffer(bytes: Self.payload(&generator))
                var outbound = ByteBuffer()
                if Bool.random(using: &generator) {
                    try pair.client.send(.binary(bytes), outbound: &outbound)
                } else {
                    try Self.sendFragments(bytes, &pair.client, &outbound, &generator)
                }
                let cut = Int.random(in: 0...outbound.readableBytes, using: &generator)
                #expect(pair.server.feed(outbound.split(at: cut)).actions == [.message(.binary(bytes))])
                let back = try pair.server.frames(.binary(bytes))
                #expect(pair.client.feed(back).actions == [.message(.binary(bytes))])
            }
        }
    }

    private static func sendFragments(
        _ bytes: ByteBuffer, _ machine: inout WebSocketMachine, _ outbound: inout ByteBuffer,
        _ generator: inout SeededGenerator
    ) throws {
        var rest = bytes
        var isLast = false
        while !isLast {
            let count = Int.random(in: 0...max(1, rest.readableBytes), using: &generator)
            let piece = rest.readSlice(length: min(count, rest.readableBytes)) ?? ByteBuffer()
            isLast = rest.readableBytes == 0 && Bool.random(using: &generator)
            try machine.send(fragment: piece, opcode: .binary, fin: isLast, outbound: &outbound)
        }
    }

    @Test("each fragment can be inflated when it has come, without the next one")
    func fragmentsFlow() throws {
        var pair = try Pair()
        var outbound = ByteBuffer()
        try pair.server.send(
            fragment: ByteBuffer(string: "now"), opcode: .text, fin: false, outbound: &outbound)
        #expect(pair.client.feed(outbound).actions.isEmpty)
        #expect(pair.client.bufferedBytes == 3)
    }

    @Test("sizes at which the output fills its buffer to the last byte", arguments: [1, 6, 9])
    func everySize(level: Int) throws {
        var pair = try Pair(server: .compressingAll { $0.level = level })
        var generator = SeededGenerator(seed: 3)
        let noise = (0..<2200).map { _ in UInt8.random(in: 0...255, using: &generator) }
        for count in 0..<noise.count {
            let message = WebSocketMessage.binary(ByteBuffer(bytes: noise.prefix(count)))
            let actions = pair.client.feed(try pair.server.frames(message)).actions
            guard actions == [.message(message)] else {
                Issue.record("\(count) bytes")
                return
            }
        }
    }

    @Test("an agreed window of 8 bits is kept to, although zlib cannot do it")
    func eightBits() throws {
        let deflater = try #require(Deflater(.init(level: 9, windowBits: 8, memoryLevel: 9)))
        var generator = SeededGenerator(seed: 1)
        for _ in 0..<20 {
            let bytes = ByteBuffer(bytes: Self.payload(&generator))
            let compressed = Array(deflater.compress(bytes).readableBytesView)
            let longest = DeflateReader.longestDistance(compressed)
            #expect(longest != nil && longest ?? 0 <= 256, "\(String(describing: longest))")
        }
        // The reader is able to find a longer one.
        let wide = try #require(Deflater(.init(level: 9, windowBits: 15, memoryLevel: 9)))
        let noise = (0..<1000).map { _ in UInt8.random(in: 0...255, using: &generator) }
        #expect(
            DeflateReader.longestDistance(
                Array(wide.compress(ByteBuffer(bytes: noise + noise)).readableBytesView)) == 1000)
    }

    @Test("messages below the threshold go plain")
    func threshold() throws {
        var pair = try Pair(server: WebSocketDeflateOptions())
        for (count, first) in [(255, UInt8(0x81)), (256, 0xC1)] {
            let frame = try pair.server.frames(.text(String(repeating: "x", count: count)))
            #expect(frame.getInteger(at: frame.readerIndex) == first)
        }
    }

    @Test("repeated messages shrink with context takeover and do not without")
    func takeover() throws {
        let text = WebSocketMessage.text((0..<60).map { "\($0 * $0 * 7919)" }.joined(separator: ","))
        var keeping = try Pair()
        var forgetting = try Pair(server: .compressingAll { $0.keepsOutgoingContext = false })
        let first = try keeping.server.frames(text).readableBytes
        #expect(try keeping.server.frames(text).readableBytes < first / 5)
        #expect(try forgetting.server.frames(text).readableBytes == first)
        #expect(try forgetting.server.frames(text).readableBytes == first)
    }

    // MARK: Copies

    @Test("a copied machine goes on by itself: neither disturbs the other")
    func copies() throws {
        var pair = try Pair()
        func message(_ seed: Int) -> WebSocketMessage {
            .text((0..<200).map { "\(($0 % 17) * seed)" }.joined(separator: ","))
        }
        let start = try pair.server.frames(message(1))
        #expect(pair.client.feed(start).actions == [.message(message(1))])
        for round in 0..<5 {
            var copy = pair
            for index in 0..<4 {
                let (ours, theirs) = (message(3 + round + index), message(1000 * (index + 1)))
                #expect(pair.client.feed(try pair.server.frames(ours)).actions == [.message(ours)])
                #expect(copy.client.feed(try copy.server.frames(theirs)).actions == [.message(theirs)])
                #expect(copy.server.feed(try copy.client.frames(ours)).actions == [.message(ours)])
            }
        }
    }

    @Test("a machine that is moved keeps its contexts: nothing is copied")
    func moves() throws {
        var pair = try Pair()
        _ = pair.client.feed(try pair.server.frames(Self.hello))
        let (deflater, inflater) = (pair.server.deflater, pair.client.inflater)
        #expect(deflater != nil && inflater != nil)
        for _ in 0..<10 {
            let frames = try pair.server.frames(Self.hello)
            #expect(pair.server.deflater == deflater)
            for piece in frames.singleBytes {
                _ = pair.client.feed(piece)
                #expect(pair.client.inflater == inflater)
            }
        }
        let copy = pair
        _ = try pair.server.frames(Self.hello)
        #expect(pair.server.deflater != deflater && copy.server.deflater == deflater)
    }

    @Test("without context takeover nothing is held between messages")
    func idle() throws {
        var pair = try Pair(
            server: .compressingAll {
                $0.keepsOutgoingContext = false
                $0.keepsIncomingContext = false
            })
        for _ in 0..<3 {
            #expect(pair.client.feed(try pair.server.frames(Self.hello)).actions == [.message(Self.hello)])
            #expect(pair.server.feed(try pair.client.frames(Self.hello)).actions == [.message(Self.hello)])
            #expect(pair.server.deflater == nil && pair.client.inflater == nil)
            #expect(pair.client.deflater == nil && pair.server.inflater == nil)
        }
    }

    @Test("a pool gives the same compressor again, cleared, only for the same settings, and keeps few")
    func pool() throws {
        let pool = DeflaterPool()
        let settings = Deflater.Settings(level: 6, windowBits: 15, memoryLevel: 8)
        let hello = ByteBuffer(string: "Hello")
        func use(_ settings: Deflater.Settings) throws -> (ObjectIdentifier, ByteBuffer) {
            let deflater = try #require(pool.take(settings))
            defer { pool.giveBack(deflater) }
            return (ObjectIdentifier(deflater), deflater.compress(hello))
        }
        let first = try use(settings)
        let second = try use(settings)
        #expect(first == second)
        var other = settings
        other.level = 1
        #expect(try use(other).0 != first.0)
        #expect(pool.idleCount == 2)
        let many = (0..<20).compactMap { _ in pool.take(settings) }
        #expect(many.count == 20 && pool.idleCount == 1)
        for deflater in many { pool.giveBack(deflater) }
        #expect(pool.idleCount == DeflaterPool.maxIdle)
    }

    @Test("the contexts go with the end of the connection")
    func release() throws {
        var pair = try Pair()
        _ = pair.client.feed(try pair.server.frames(Self.hello))
        #expect(pair.client.transform != nil)
        _ = pair.client.receiveEOF()
        #expect(pair.client.transform == nil)
    }
}
