import Testing
import WebSocketWire

@Suite("Masking")
struct MaskingTests {
    private static let key: UInt32 = 0x37fa_213d

    private static func oracle(_ bytes: [UInt8], key: UInt32, offset: Int) -> [UInt8] {
        bytes.enumerated().map { index, byte in
            byte ^ UInt8(truncatingIfNeeded: key >> UInt32(24 - 8 * ((index + offset) % 4)))
        }
    }

    @Test("equals a byte loop for every length to 300, every offset of the key, every misalignment")
    func againstByteLoop() async {
        let source = (0..<400).map { UInt8(truncatingIfNeeded: $0 &* 167 &+ 13) }
        for misalignment in 0..<17 {
            // Tests with deadlines share this thread.
            await Task.yield()
            for offset in 0..<8 {
                for length in 0...300 {
                    var bytes = source
                    bytes.withUnsafeMutableBytes { all in
                        let part = UnsafeMutableRawBufferPointer(
                            rebasing: all[misalignment..<misalignment + length])
                        Masking.apply(key: Self.key, to: part, offset: offset)
                    }
                    let part = Array(source[misalignment..<misalignment + length])
                    let expected =
                        source[..<misalignment] + Self.oracle(part, key: Self.key, offset: offset)
                        + source[(misalignment + length)...]
                    if bytes != Array(expected) {
                        Issue.record("length \(length), offset \(offset), misalignment \(misalignment)")
                        return
                    }
                }
            }
        }
        #expect(Self.oracle([0, 0, 0, 0, 0], key: Self.key, offset: 1) == [0xfa, 0x21, 0x3d, 0x37, 0xfa])
    }

    @Test(
        "masking while copying equals masking in place",
        arguments: [0, 1, 7, 8, 63, 64, 255, 256, 1000, 65_537])
    func copying(length: Int) {
        let source = (0..<length).map { UInt8(truncatingIfNeeded: $0) }
        var target = [UInt8](repeating: 0xEE, count: length + 3)
        source.withUnsafeBytes { from in
            target.withUnsafeMutableBytes { to in
                Masking.copy(from, to: to, key: Self.key, offset: 3)
            }
        }
        #expect(Array(target.prefix(length)) == Self.oracle(source, key: Self.key, offset: 3))
        #expect(Array(target.suffix(3)) == [0xEE, 0xEE, 0xEE])
    }

    @Test("twice gives the bytes back", arguments: [0 as UInt32, .max, 0x0000_00ff, 0xff00_0000])
    func involution(key: UInt32) {
        let source = (0..<999).map { UInt8(truncatingIfNeeded: $0 &* 7) }
        var bytes = source
        bytes.withUnsafeMutableBytes { Masking.apply(key: key, to: $0, offset: 2) }
        #expect(bytes == Self.oracle(source, key: key, offset: 2))
        bytes.withUnsafeMutableBytes { Masking.apply(key: key, to: $0, offset: 2) }
        #expect(bytes == source)
    }
}
