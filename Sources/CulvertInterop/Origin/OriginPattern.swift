package import NIOCore

/// The bytes that an origin serves: byte i is `(i * 7 + i / 251) & 0xff`.
package enum OriginPattern {
    /// 251 × 256: after that many bytes the pattern starts again. No power of two, so that a block that is lost or
    /// comes twice shows.
    static let period = 251 * 256

    /// One period.
    static let block: ByteBuffer = {
        ByteBuffer(bytes: (0..<period).map { UInt8(truncatingIfNeeded: $0 &* 7 &+ $0 / 251) })
    }()

    /// The first so many bytes.
    package static func bytes(_ count: Int) -> ByteBuffer {
        var bytes = ByteBuffer()
        bytes.reserveCapacity(count)
        for piece in pieces(count) { bytes.writeImmutableBuffer(piece) }
        return bytes
    }

    /// The same in pieces of at most one period.
    static func pieces(_ count: Int) -> some Sequence<ByteBuffer> {
        stride(from: 0, to: count, by: period).lazy.map { start in
            block.getSlice(at: 0, length: min(period, count - start)) ?? block
        }
    }
}
