import CCurl
import NIOCore

/// libcurl's WebSocket functions, looked up when the program runs: the libcurl it was built with may not have them.
struct CurlWebSocketFunctions: Sendable {
    typealias Send =
        @convention(c) (
            UnsafeMutableRawPointer, UnsafeRawPointer?, Int, UnsafeMutablePointer<Int>, curl_off_t, UInt32
        ) -> CURLcode
    typealias Receive =
        @convention(c) (
            UnsafeMutableRawPointer, UnsafeMutableRawPointer?, Int, UnsafeMutablePointer<Int>,
            UnsafeMutablePointer<UnsafePointer<curl_ws_frame>?>
        ) -> CURLcode

    private let send: Send
    private let receive: Receive

    /// nil where the libcurl that runs has no WebSocket.
    static let current: CurlWebSocketFunctions? = {
        // Some builds have the functions, which then always fail.
        guard CurlLibrary.current.has(.webSocket), let send = CurlLibrary.symbol("curl_ws_send"),
            let receive = CurlLibrary.symbol("curl_ws_recv")
        else { return nil }
        return CurlWebSocketFunctions(
            send: unsafeBitCast(send, to: Send.self), receive: unsafeBitCast(receive, to: Receive.self))
    }()

    /// Sends what libcurl takes of the rest of a frame; true when that was the last of it.
    func send(
        _ bytes: inout ByteBuffer, _ flags: CurlFrameFlags, _ handle: UnsafeMutableRawPointer
    ) throws(InteropFailure) -> Bool {
        var sent = 0
        let code = bytes.withUnsafeReadableBytes {
            self.send(handle, $0.baseAddress, $0.count, &sent, 0, flags.rawValue)
        }
        guard code == CURLE_OK || code == CURLE_AGAIN else { throw CurlOutcome.failure(code) }
        bytes.moveReaderIndex(forwardBy: min(sent, bytes.readableBytes))
        return code == CURLE_OK && bytes.readableBytes == 0
    }

    /// At most 64 KiB of the frame that is there; nil when there is none yet.
    func receivePiece(_ handle: UnsafeMutableRawPointer) throws(InteropFailure) -> CurlFramePiece? {
        var buffer = ByteBuffer()
        var count = 0
        var frame: UnsafePointer<curl_ws_frame>?
        var code = CURLE_OK
        buffer.writeWithUnsafeMutableBytes(minimumWritableBytes: 64 << 10) { room in
            code = self.receive(handle, room.baseAddress, room.count, &count, &frame)
            return code == CURLE_OK ? count : 0
        }
        if code == CURLE_AGAIN { return nil }
        guard code == CURLE_OK else { throw CurlOutcome.failure(code) }
        guard let frame = frame?.pointee else {
            throw InteropFailure(.connectionLost, "libcurl received no frame")
        }
        return CurlFramePiece(
            bytes: buffer, flags: CurlFrameFlags(rawValue: UInt32(truncatingIfNeeded: frame.flags)),
            isFrameEnd: frame.bytesleft == 0)
    }
}

/// Some bytes of a frame that came.
struct CurlFramePiece: Sendable, Hashable {
    var bytes: ByteBuffer
    var flags: CurlFrameFlags
    /// No more of this frame is to come.
    var isFrameEnd: Bool
}

/// What a frame is, by libcurl's `CURLWS_*`.
struct CurlFrameFlags: OptionSet, Sendable, Hashable {
    let rawValue: UInt32

    static let text = Self(rawValue: 1 << 0)
    static let binary = Self(rawValue: 1 << 1)
    /// More frames of the message follow.
    static let more = Self(rawValue: 1 << 2)
    static let close = Self(rawValue: 1 << 3)
    static let ping = Self(rawValue: 1 << 4)
    static let pong = Self(rawValue: 1 << 6)
}
