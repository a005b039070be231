import CulvertInterop
import Foundation
import NIOCore
import NIOPosix

/// A TCP connection that sends exactly what it is told and keeps all it gets, as an attacker or a bad client would.
final class RawConnection: Sendable {
    private let channel: any Channel
    private let inbox: RawInbox

    init(port: Int) async throws {
        let inbox = RawInbox()
        self.inbox = inbox
        self.channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .channelOption(.allowRemoteHalfClosure, value: true)
            .channelOption(.tcpOption(.tcp_nodelay), value: 1)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(RawInboxHandler(inbox: inbox))
                }
            }
            .connect(host: "127.0.0.1", port: port).get()
    }

    /// One write; a connection that has gone already is no error, what came back is what counts.
    func send(_ text: String) async throws {
        try? await self.channel.writeAndFlush(ByteBuffer(string: text)).get()
    }

    /// No more from us; the other direction stays open.
    func finish() async { try? await self.channel.close(mode: .output).get() }

    func close() async { try? await self.channel.close().get() }

    /// Ends with RST instead of FIN.
    func reset() async {
        _ = try? await (self.channel as? any SocketOptionProvider)?.setSoLinger(
            linger(l_onoff: 1, l_linger: 0)
        ).get()
        await self.close()
    }

    var received: String { self.inbox.text }
    var hasEnded: Bool { self.inbox.hasEnded }
    /// It ended by an error, which on a loopback socket is a reset.
    var wasReset: Bool { self.inbox.hasFailed }

    /// Waits until what came contains `text`, and returns all of it.
    func receive(until text: String, within limit: Duration = .seconds(10)) async throws -> String {
        try await self.wait("«\(text)»", within: limit) { self.inbox.contains(text) }
        return self.received
    }

    /// Waits until the other side has ended, and returns all that came.
    func receiveToEnd(within limit: Duration = .seconds(10)) async throws -> String {
        try await self.wait("the end", within: limit) { self.hasEnded }
        return self.received
    }

    private func wait(_ what: String, within limit: Duration, _ condition: () -> Bool) async throws {
        do {
            try await eventually(what, within: limit, condition)
        } catch {
            throw TimedOut(
                what: "waiting for \(what); ended: \(self.hasEnded); came: \(self.received.prefix(500))")
        }
    }
}

/// The bytes that arrived on one connection.
final class RawInbox: Sendable {
    private struct State {
        var bytes: [UInt8] = []
        var ended = false
        var failed = false
    }

    private let state = Locked(State())

    var text: String { String(decoding: self.state.withLock { $0.bytes }, as: UTF8.self) }
    var count: Int { self.state.withLock { $0.bytes.count } }
    var hasEnded: Bool { self.state.withLock { $0.ended } }
    var hasFailed: Bool { self.state.withLock { $0.failed } }

    func fail() {
        self.state.withLock { state in
            state.failed = true
            state.ended = true
        }
    }

    /// By bytes, and only where there are enough: to look among characters for a long text of which a part has come
    /// takes a minute.
    func contains(_ text: String) -> Bool {
        let bytes = self.state.withLock { $0.bytes }
        guard bytes.count >= text.utf8.count else { return false }
        return Data(bytes).range(of: Data(text.utf8)) != nil
    }

    func append(_ buffer: ByteBuffer) {
        self.state.withLock { $0.bytes.append(contentsOf: buffer.readableBytesView) }
    }

    func end() { self.state.withLock { $0.ended = true } }
}

private final class RawInboxHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    let inbox: RawInbox

    init(inbox: RawInbox) { self.inbox = inbox }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        self.inbox.append(self.unwrapInboundIn(data))
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if event as? ChannelEvent == .inputClosed { self.inbox.end() }
    }

    func channelInactive(context: ChannelHandlerContext) { self.inbox.end() }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        self.inbox.fail()
        context.close(promise: nil)
    }
}
