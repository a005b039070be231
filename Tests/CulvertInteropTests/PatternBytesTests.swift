import Testing

@testable import CulvertInterop

@Suite("the bytes bodies are made of")
struct PatternBytesTests {
    private func bytes(_ count: Int, at offset: Int) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: count)
        bytes.withUnsafeMutableBytes { PatternBytes.copy(to: $0, at: offset) }
        return bytes
    }

    @Test(
        "each follows the formula, past the period too",
        arguments: [0, 1, 250, 251, 64_255, 64_256, 16_000_000])
    func formula(offset: Int) {
        let expected = (offset..<(offset + 70_000)).map { UInt8(truncatingIfNeeded: $0 * 7 + $0 / 251) }
        #expect(self.bytes(70_000, at: offset) == expected)
    }

    @Test("a deviation is found where it is", arguments: [0, 5, 64_255, 64_256, 99_999])
    func deviation(place: Int) {
        var bytes = self.bytes(100_000, at: 77)
        #expect(bytes.withUnsafeBytes { PatternBytes.deviation(of: $0, at: 77) } == nil)
        bytes[place] ^= 1
        #expect(bytes.withUnsafeBytes { PatternBytes.deviation(of: $0, at: 77) } == 77 + place)
    }

    @Test("SHA-256 as other programs make it")
    func digest() {
        #expect(
            PatternDigest.sha256(ofBytes: 0)
                == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")
        #expect(
            PatternDigest.sha256(ofBytes: 100_000)
                == "6b4e3f3d1dee15db72c519f5962bad253dfc7d4183d7e30e656259ce1eeab007")
    }
}
