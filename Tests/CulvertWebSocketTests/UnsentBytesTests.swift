import CulvertWebSocket
import NIOCore
import NIOPosix
import TestSupport
import Testing

@Suite("Bytes that have not arrived")
struct UnsentBytesTests {
    @Test("what the kernels hold counts until the peer has taken it")
    func kernel() async throws {
        let listener = try BlockingSocket.listening()
        let channel = try await ClientBootstrap(group: .singletonMultiThreadedEventLoopGroup)
            .connect(host: "127.0.0.1", port: listener.port).get()
        let peer = try listener.accepted()
        channel.writeAndFlush(ByteBuffer(repeating: 1, count: 16 << 20), promise: nil)
        let (waiting, unsent) = try await channel.eventLoop.submit {
            (try channel.syncOptions?.getOption(.bufferedWritableBytes) ?? 0, channel.unsentBytes)
        }.get()
        #expect(unsent > waiting)
        channel.close(mode: .output, promise: nil)
        #expect(try peer.receive().utf8.count == 16 << 20)
        // The acknowledgement is a packet of its own.
        var rest = unsent
        while rest > 0 {
            rest = try await channel.eventLoop.submit { channel.unsentBytes }.get()
            await Task.yield()
        }
        peer.close()
        listener.close()
        try? await channel.close()
    }
}
