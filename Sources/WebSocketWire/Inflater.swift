internal import CZlib
internal import NIOCore

/// One of zlib's decompressors, with its window: some 40 kilobytes.
///
/// `@unchecked Sendable`: as for ``Deflater``.
final class Inflater: @unchecked Sendable {
    /// What came of a piece.
    enum Outcome: Hashable {
        /// All of it was taken.
        case done
        /// It stands for more than the limit; one byte too many was written.
        case full
        case malformed
        case noMemory
    }

    /// zlib keeps the address of its stream and checks it: it may not move.
    private let stream: UnsafeMutablePointer<z_stream>

    /// What came so far ends with a whole block, and at the end of a byte.
    private(set) var isBetweenBlocks = true

    /// 64 KiB: no more room than this is made at a time; what comes may be a few bytes.
    private static let maxStep = 64 << 10

    /// Nil when there is no memory.
    ///
    /// - Parameter windowBits: 8 to 15.
    init?(windowBits: Int) {
        stream = .allocate(capacity: 1)
        stream.initialize(to: z_stream())
        if culvert_inflate_init(stream, CInt(-windowBits)) != Z_OK { return nil }
    }

    private init?(copying other: Inflater) {
        stream = .allocate(capacity: 1)
        stream.initialize(to: z_stream())
        isBetweenBlocks = other.isBetweenBlocks
        if inflateCopy(stream, other.stream) != Z_OK { return nil }
    }

    deinit {
        // Says Z_STREAM_ERROR, and does nothing, where the initialisation had failed.
        inflateEnd(stream)
        stream.deallocate()
    }

    /// Another one in the same state; nil when there is no memory.
    func copy() -> Inflater? { Inflater(copying: self) }

    /// Appends to `output` what `bytes` stand for, and stops as soon as it holds more than `limit` bytes.
    func inflate(_ bytes: UnsafeRawBufferPointer, limit: Int, into output: inout ByteBuffer) -> Outcome {
        guard bytes.count > 0 else { return .done }
        let start = bytes.baseAddress?.assumingMemoryBound(to: UInt8.self)
        stream.pointee.next_in = UnsafeMutablePointer(mutating: start)
        stream.pointee.avail_in = UInt32(clamping: bytes.count)
        defer { stream.pointee.next_in = nil }
        repeat {
            let result = step(limit: limit, into: &output)
            if output.readableBytes > limit { return .full }
            switch result {
            case Z_OK:
                // The unused bits of the last byte, 64 inside a final block, 128 behind a block.
                isBetweenBlocks = stream.pointee.data_type == 128
            case Z_BUF_ERROR:
                // Nothing was left to do.
                return .done
            case Z_STREAM_END:
                // A final block (RFC 7692 §7.2.3.4). What follows goes on with the same window; the reset that
                // clears it would cost every two bytes of a hostile message 32 KiB of copying to refill it.
                inflateResetKeep(stream)
                isBetweenBlocks = true
                if stream.pointee.avail_in == 0 { return .done }
            case Z_MEM_ERROR:
                return .noMemory
            default:
                return .malformed
            }
        } while stream.pointee.avail_in > 0 || stream.pointee.avail_out == 0
        return .done
    }

    private func step(limit: Int, into output: inout ByteBuffer) -> CInt {
        // One byte more than may come: full and over are told apart.
        let left = max(0, limit - output.readableBytes)
        let room = left < Int.max ? left + 1 : left
        let guess = min(max(256, Int(stream.pointee.avail_in) * 4), Self.maxStep)
        var result = Z_OK
        output.writeWithUnsafeMutableBytes(minimumWritableBytes: min(guess, room)) { target in
            let offered = UInt32(clamping: min(target.count, room))
            stream.pointee.next_out = target.baseAddress?.assumingMemoryBound(to: UInt8.self)
            stream.pointee.avail_out = offered
            result = CZlib.inflate(stream, Z_SYNC_FLUSH)
            return Int(offered - stream.pointee.avail_out)
        }
        stream.pointee.next_out = nil
        return result
    }
}
