import CCurl
import NIOCore

/// A connection that libcurl opened, through proxies and TLS, and that carries bytes of ours: `CURLOPT_CONNECT_ONLY`.
/// Blocking; used on one ``CurlThread``.
final class CurlTunnel {
    private let easy: CurlEasy
    /// What goes out, in pieces that stay where they are: TLS wants a write that was not taken repeated from the same
    /// address.
    private let chunk = UnsafeMutableRawBufferPointer.allocate(byteCount: 64 << 10, alignment: 16)
    private var waiting = 0..<0

    enum Read {
        case bytes(ByteBuffer)
        /// Nothing there yet.
        case later
        case end
    }

    init(_ easy: CurlEasy) {
        self.easy = easy
    }

    deinit {
        self.chunk.deallocate()
    }

    /// Opens the connection.
    ///
    /// - Throws: as ``CurlEasy/open(_:)``.
    func open(_ deadline: CurlDeadline) throws {
        try self.easy.open(deadline)
    }

    /// Sends from the front of the buffer what the connection takes; whether that was anything.
    func send(_ bytes: inout ByteBuffer) throws(InteropFailure) -> Bool {
        var hasMoved = false
        while true {
            if self.waiting.isEmpty {
                let count = min(bytes.readableBytes, self.chunk.count)
                guard count > 0 else { return hasMoved }
                bytes.readWithUnsafeReadableBytes { source in
                    self.chunk.copyBytes(from: source.prefix(count))
                    return count
                }
                self.waiting = 0..<count
            }
            var sent = 0
            let piece = UnsafeRawBufferPointer(rebasing: self.chunk[self.waiting])
            let code = curl_easy_send(self.easy.handle, piece.baseAddress, piece.count, &sent)
            if code == CURLE_AGAIN { return hasMoved }
            guard code == CURLE_OK else { throw CurlOutcome.failure(code) }
            self.waiting = (self.waiting.lowerBound + sent)..<self.waiting.upperBound
            hasMoved = hasMoved || sent > 0
        }
    }

    /// Something that was handed to ``send(_:)`` is not out yet.
    var isSending: Bool { !self.waiting.isEmpty }

    /// At most 64 KiB of what came.
    func receive() throws(InteropFailure) -> Read {
        var buffer = ByteBuffer()
        var count = 0
        var code = CURLE_OK
        buffer.writeWithUnsafeMutableBytes(minimumWritableBytes: 64 << 10) { room in
            code = curl_easy_recv(self.easy.handle, room.baseAddress, room.count, &count)
            return code == CURLE_OK ? count : 0
        }
        if code == CURLE_AGAIN { return .later }
        guard code == CURLE_OK else { throw CurlOutcome.failure(code) }
        return count > 0 ? .bytes(buffer) : .end
    }

    /// Waits until there is something to receive, or room to send when something waits for it.
    func wait(_ deadline: CurlDeadline) throws {
        try self.easy.wait(deadline, writing: self.isSending)
    }
}
