internal import COpenSSL
internal import NIOCore

/// The server's end of one TLS connection, without a socket: bytes of the wire in, bytes of the wire out.
///
/// Used by one thread at a time.
final class TLSSession {
    /// What became of an attempt.
    enum Progress {
        case done
        /// Bytes of the peer are wanted.
        case needMore
        /// The peer said that it will send no more.
        case ended
    }

    private let handle: OwnedHandle
    /// Both belong to the handle, which frees them.
    private let fromWire: OpaquePointer
    private let toWire: OpaquePointer

    init(_ context: TLSContext) throws(OpenSSLError) {
        let handle = OwnedHandle(try made("making a TLS session") { SSL_new(context.pointer) }) {
            SSL_free($0)
        }
        let fromWire = try MemoryBIO.make()
        let toWire: OpaquePointer
        do throws(OpenSSLError) {
            toWire = try MemoryBIO.make()
        } catch {
            BIO_free_all(fromWire)
            throw error
        }
        SSL_set_bio(handle.pointer, fromWire, toWire)
        SSL_set_accept_state(handle.pointer)
        self.fromWire = fromWire
        self.toWire = toWire
        self.handle = handle
    }

    private var ssl: OpaquePointer { handle.pointer }

    /// Takes bytes off the wire.
    func receive(_ bytes: UnsafeRawBufferPointer) throws(OpenSSLError) {
        guard !bytes.isEmpty else { return }
        try check("keeping bytes of the wire") {
            BIO_write(fromWire, bytes.baseAddress, Int32(clamping: bytes.count))
        }
    }

    /// Moves what is to be sent.
    func drain(into buffer: inout ByteBuffer) {
        MemoryBIO.drain(toWire, into: &buffer)
    }

    /// Goes on with the handshake. A failure leaves the alert for the peer in `drain`.
    func handshake() throws(OpenSSLError) -> Progress {
        ERR_clear_error()
        return try progress(SSL_do_handshake(ssl), "the TLS handshake")
    }

    /// Appends all that the peer has sent.
    func read(into buffer: inout ByteBuffer) throws(OpenSSLError) -> Progress {
        while true {
            ERR_clear_error()
            var result: Int32 = 0
            // 16 KiB: no record holds more.
            buffer.writeWithUnsafeMutableBytes(minimumWritableBytes: 16 << 10) { room in
                result = SSL_read(ssl, room.baseAddress, Int32(clamping: room.count))
                return max(0, Int(result))
            }
            switch try progress(result, "reading from TLS") {
            case .done: continue
            case .needMore: return .needMore
            case .ended: return .ended
            }
        }
    }

    /// Encrypts; the handshake is complete.
    func write(_ bytes: UnsafeRawBufferPointer) throws(OpenSSLError) {
        // OpenSSL takes a write of no bytes for a mistake.
        guard !bytes.isEmpty else { return }
        try check("writing to TLS") { SSL_write(ssl, bytes.baseAddress, Int32(clamping: bytes.count)) }
    }

    /// Says that nothing follows (close_notify). What the peer sends can still be read.
    func end() {
        ERR_clear_error()
        // Whether the peer has ended too is not of interest here, and an alert that cannot be made is none.
        _ = SSL_shutdown(ssl)
        ERR_clear_error()
    }

    private func progress(_ result: Int32, _ operation: String) throws(OpenSSLError) -> Progress {
        if result > 0 { return .done }
        switch SSL_get_error(ssl, result) {
        case SSL_ERROR_WANT_READ: return .needMore
        case SSL_ERROR_ZERO_RETURN: return .ended
        default: throw OpenSSLError(operation)
        }
    }
}
