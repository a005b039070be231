import NIOCore
import Testing
import WebSocketWire

@Suite("The frame decoder")
struct FrameDecoderTests {
    private static func decoder(_ expectsMask: Bool) -> FrameDecoder {
        FrameDecoder(
            rules: FrameHeader.Rules(expectsMask: expectsMask, allowsRSV1: false, maxFrameBytes: .max))
    }

    @Test("payload comes in the pieces that arrive, unmasked with the right phase")
    func pieces() throws {
        var decoder = Self.decoder(true)
        var payload = ByteBuffer()
        for piece in Wire.frame(0x82, Array(0..<100), mask: 0x0102_0304).singleBytes {
            decoder.append(piece)
            if decoder.payloadRemaining == 0, let header = try decoder.nextHeader() {
                #expect(header.payloadLength == 100)
            } else {
                decoder.readPayload(into: &payload)
            }
        }
        #expect(payload == ByteBuffer(bytes: Array(UInt8(0)..<100)))
        #expect(decoder.payloadRemaining == 0)
        #expect(decoder.bufferedBytes == 0)
    }

    @Test("reads that always end inside a head do not pile up memory", arguments: [1, 5, 13])
    func endlessHeads(cut: Int) throws {
        var decoder = Self.decoder(true)
        let frame = Wire.frame(0x82, [UInt8](repeating: 7, count: 70_000), mask: 0xA1B2_C3D4)
        let head = ByteBuffer(bytes: frame.readableBytesView.prefix(cut))
        let rest = Wire.join([ByteBuffer(bytes: frame.readableBytesView.dropFirst(cut)), head])
        decoder.append(head)
        for _ in 0..<100 {
            #expect(try decoder.nextHeader() == nil)
            decoder.append(rest)
            let header = try #require(try decoder.nextHeader())
            var payload = ByteBuffer()
            decoder.readPayload(into: &payload)
            #expect(payload.readableBytes == header.payloadLength)
            #expect(decoder.bufferedBytes == cut)
            #expect(decoder.bufferCapacity <= 2 * 131_072)
        }
    }

    @Test(
        "a whole payload is handed over as it is when it was not masked, or small and unmasked with its neighbours",
        arguments: [(nil, 3, true), (nil, 2000, true), (9 as UInt32?, 3, true), (9, 2000, false)])
    func wholePayload(mask: UInt32?, count: Int, isSlice: Bool) throws {
        let payload = (0..<count).map { UInt8(truncatingIfNeeded: $0) }
        var decoder = Self.decoder(mask != nil)
        decoder.append(Wire.frame(0x82, payload, mask: mask))
        _ = try decoder.nextHeader()
        #expect((decoder.readWholePayload() == ByteBuffer(bytes: payload)) == isSlice)
        #expect(decoder.payloadRemaining == (isSlice ? 0 : count))
    }

    @Test("a payload that is not all here is not whole")
    func partialPayload() throws {
        var partial = Self.decoder(false)
        partial.append(Wire.hex("82 03 01"))
        _ = try partial.nextHeader()
        #expect(partial.readWholePayload() == nil)
        #expect(!partial.hasWholePayload)
    }
}
