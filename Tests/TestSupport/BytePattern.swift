import Foundation

/// Bytes that say where in their stream they stand: a loss, a repetition or an exchange of blocks is seen.
package struct BytePattern: Sendable {
    /// A prime, so that no power of two of bytes can go missing unseen.
    private static let period = 65_537
    private let bytes: [UInt8]

    package init(seed: UInt64) {
        var state = seed | 1
        let once = (0..<Self.period).map { _ in
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return UInt8(truncatingIfNeeded: state >> 56)
        }
        self.bytes = Array(repeatElement(once, count: 5).joined())
    }

    /// At most 256 KiB of the stream from an offset on.
    package func withBytes<Result>(
        at offset: Int, count: Int, _ body: (UnsafeRawBufferPointer) throws -> Result
    ) rethrows -> Result {
        let start = offset % Self.period
        return try self.bytes.withUnsafeBytes { try body(.init(rebasing: $0[start..<(start + count)])) }
    }

    /// Sends the stream's first bytes.
    package func send(_ count: Int, to socket: BlockingSocket) throws {
        var offset = 0
        while offset < count {
            let block = min(256 * 1024, count - offset)
            try self.withBytes(at: offset, count: block) { try socket.send($0) }
            offset += block
        }
    }

    /// Receives up to the peer's FIN; how many bytes were as they should be before the first that was not.
    package func receive(_ count: Int = .max, from socket: BlockingSocket) throws -> Int {
        let room = UnsafeMutableRawBufferPointer.allocate(byteCount: 256 * 1024, alignment: 64)
        defer { room.deallocate() }
        var offset = 0
        while offset < count {
            let wanted = UnsafeMutableRawBufferPointer(rebasing: room[..<min(room.count, count - offset)])
            let read = try socket.receive(into: wanted)
            guard read > 0 else { break }
            let isRight = self.withBytes(at: offset, count: read) { expected in
                guard let expected = expected.baseAddress, let found = room.baseAddress else { return false }
                return memcmp(expected, found, read) == 0
            }
            guard isRight else { break }
            offset += read
        }
        return offset
    }
}
