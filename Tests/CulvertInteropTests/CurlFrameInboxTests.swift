import NIOCore
import Testing
import WebSocketWire

@testable import CulvertInterop

@Suite("frames of libcurl put together")
struct CurlFrameInboxTests {
    private func piece(
        _ text: String, _ flags: CurlFrameFlags, isFrameEnd: Bool = true
    ) -> CurlFramePiece {
        CurlFramePiece(bytes: ByteBuffer(string: text), flags: flags, isFrameEnd: isFrameEnd)
    }

    @Test("pieces of frames and frames of messages are joined; control frames come between")
    func joining() throws {
        var inbox = CurlFrameInbox(maxMessageBytes: 100)
        try inbox.take(self.piece("ei", [.text, .more], isFrameEnd: false))
        try inbox.take(self.piece("ns ", [.text, .more]))
        try inbox.take(self.piece("po", .pong, isFrameEnd: false))
        try inbox.take(self.piece("ng", .pong))
        try inbox.take(self.piece("zwei", .text))
        try inbox.take(self.piece("", .binary))
        #expect(inbox.messages == [.text("eins zwei"), .binary(ByteBuffer())])
        #expect(inbox.pongs == [ByteBuffer(string: "pong")])
        #expect(inbox.close == nil)
    }

    @Test("a close frame's code and reason")
    func close() throws {
        var inbox = CurlFrameInbox(maxMessageBytes: 100)
        var bytes = ByteBuffer(bytes: [0x0F, 0xA0])
        bytes.writeString("bye")
        try inbox.take(CurlFramePiece(bytes: bytes, flags: .close, isFrameEnd: true))
        #expect(inbox.close == WebSocketClose(code: WebSocketCloseCode(rawValue: 4000), reason: "bye"))
        var empty = CurlFrameInbox(maxMessageBytes: 100)
        try empty.take(self.piece("", .close))
        #expect(empty.close?.code == .noStatusReceived)
    }

    @Test("what a peer must not send is its fault")
    func faults() {
        let pieces = [
            self.piece("x", .close),
            self.piece(String(repeating: "x", count: 101), .binary),
            CurlFramePiece(bytes: ByteBuffer(bytes: [0xFF]), flags: .text, isFrameEnd: true),
        ]
        for piece in pieces {
            var inbox = CurlFrameInbox(maxMessageBytes: 100)
            #expect(throws: InteropFailure.self) { try inbox.take(piece) }
        }
    }
}
