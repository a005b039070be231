internal import CZlib
internal import NIOCore

/// One of zlib's compressors, with its window: some hundred kilobytes.
///
/// `@unchecked Sendable`: only `PerMessageDeflate` holds one, changes it only while it holds the only reference, and
/// is itself a value.
final class Deflater: @unchecked Sendable {
    /// zlib keeps the address of its stream and checks it: it may not move.
    private let stream: UnsafeMutablePointer<z_stream>

    struct Settings: Hashable {
        /// 1 to 9.
        var level: Int
        /// 8 to 15. zlib cannot do 8 without its header; what it makes with 9 never refers back further than
        /// 2^9 - 262 bytes (zlib keeps the longest match and a few bytes free of the window's end), which a window
        /// of 2^8 holds.
        var windowBits: Int
        /// 1 to 9.
        var memoryLevel: Int
    }

    let settings: Settings

    /// Nil when there is no memory.
    init?(_ settings: Settings) {
        self.settings = settings
        stream = .allocate(capacity: 1)
        stream.initialize(to: z_stream())
        let result = culvert_deflate_init(
            stream, CInt(settings.level), CInt(-max(9, settings.windowBits)), CInt(settings.memoryLevel))
        if result != Z_OK { return nil }
    }

    private init?(copying other: Deflater) {
        settings = other.settings
        stream = .allocate(capacity: 1)
        stream.initialize(to: z_stream())
        if deflateCopy(stream, other.stream) != Z_OK { return nil }
    }

    deinit {
        // Says Z_STREAM_ERROR, and does nothing, where the initialisation had failed.
        deflateEnd(stream)
        stream.deallocate()
    }

    /// Another one in the same state; nil when there is no memory.
    func copy() -> Deflater? { Deflater(copying: self) }

    /// Forgets what it compressed.
    func reset() {
        deflateReset(stream)
    }

    /// Compresses all of `bytes`, so that what comes out can be inflated up to the last byte, and ends with an empty
    /// block, which ends with 00 00 ff ff. No bytes make no output.
    func compress(_ bytes: ByteBuffer) -> ByteBuffer {
        // A buffer has at most 2^32 bytes; half is a guess that a second allocation corrects.
        var output = ByteBuffer()
        guard bytes.readableBytes > 0 else { return output }
        output.reserveCapacity(min(bytes.readableBytes / 2 + 64, 16 << 10))
        bytes.withUnsafeReadableBytes { bytes in
            let start = bytes.baseAddress?.assumingMemoryBound(to: UInt8.self)
            stream.pointee.next_in = UnsafeMutablePointer(mutating: start)
            stream.pointee.avail_in = UInt32(clamping: bytes.count)
            repeat { flush(into: &output) } while stream.pointee.avail_out == 0
        }
        stream.pointee.next_in = nil
        return output
    }

    private func flush(into output: inout ByteBuffer) {
        // 64: with six bytes or less of room zlib would start its flush over and over.
        output.writeWithUnsafeMutableBytes(minimumWritableBytes: 64) { room in
            let offered = UInt32(clamping: room.count)
            stream.pointee.next_out = room.baseAddress?.assumingMemoryBound(to: UInt8.self)
            stream.pointee.avail_out = offered
            let result = deflate(stream, Z_SYNC_FLUSH)
            precondition(result == Z_OK || result == Z_BUF_ERROR, "zlib knows no other result here")
            return Int(offered - stream.pointee.avail_out)
        }
        stream.pointee.next_out = nil
    }
}
