/// What the source sends and the client checks: bytes that count up and start over after 255.
enum Pattern {
    /// 64 KiB, as much as a write takes, and room to start at any of the 256 values.
    static let chunk = 64 << 10

    static let bytes: [UInt8] = (0..<(Self.chunk + 256)).map { UInt8(truncatingIfNeeded: $0) }

    /// What stands at this place of the stream and behind it, one chunk.
    static func withChunk<Result>(at position: Int, _ body: (UnsafeRawBufferPointer) -> Result) -> Result {
        Self.bytes.withUnsafeBytes { all in
            let start = position & 0xFF
            return body(UnsafeRawBufferPointer(rebasing: all[start..<(start + Self.chunk)]))
        }
    }

    static func matches(_ piece: UnsafeRawBufferPointer, at position: Int) -> Bool {
        piece.enumerated().allSatisfy { index, byte in byte == UInt8(truncatingIfNeeded: position + index) }
    }
}
