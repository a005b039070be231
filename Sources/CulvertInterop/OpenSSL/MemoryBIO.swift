internal import COpenSSL
internal import NIOCore

/// Bytes in memory that OpenSSL writes to.
enum MemoryBIO {
    static func make() throws(OpenSSLError) -> OpaquePointer {
        try made("making a memory BIO") { BIO_new(BIO_s_mem()) }
    }

    /// What `write` puts into a fresh BIO.
    static func contents(
        _ operation: String, _ write: (OpaquePointer) -> Int32
    ) throws(OpenSSLError) -> ByteBuffer {
        let bio = OwnedHandle(try make()) { BIO_free_all($0) }
        try check(operation) { write(bio.pointer) }
        var bytes = ByteBuffer()
        drain(bio.pointer, into: &bytes)
        return bytes
    }

    /// Moves everything that is there.
    static func drain(_ bio: OpaquePointer, into buffer: inout ByteBuffer) {
        let pending = BIO_ctrl_pending(bio)
        guard pending > 0 else { return }
        buffer.writeWithUnsafeMutableBytes(minimumWritableBytes: pending) { room in
            let count = BIO_read(bio, room.baseAddress, Int32(clamping: min(pending, room.count)))
            return max(0, Int(count))
        }
    }
}
