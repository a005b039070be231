import CulvertTunnel
import Foundation
import HTTPWire
import Logging
import NIOCore
import NIOSSL
import NIOTLS
import PortWire

/// The first handler of every connection: takes the PROXY protocol's header where one is due, ends TLS, and makes way
/// for the handler of the protocol that the client's first octet tells.
final class PortHandler: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer

    private enum Phase {
        /// Waiting for the load balancer's header. Leaves on the header, a malformed one, its timer.
        case readingHeader
        /// Waiting for the client's first octet. Leaves on it, EOF, the timer.
        case waiting
        /// TLS shakes hands in front of this handler. Leaves on its end, on an error, the timer.
        case shakingHands
        /// Waiting for the first octet inside TLS. Leaves on it, EOF, the timer.
        case waitingInsideTLS
        /// The next handler has the connection, or it is closed.
        case done
    }

    private let core: ProxyCore
    /// One configuration counts for the whole beginning of a connection.
    private let snapshot: ProxySnapshot
    private var client = ConnectedClient(nil)
    /// Once the client is known, which may be before it comes here.
    private var permit: ClientPermit?
    private var phase = Phase.waiting
    private var buffer = ByteBuffer()
    private var timer: Scheduled<Void>?

    /// A load balancer has the header at hand: 5 s are time for a lost packet or two.
    private static let headerTime = TimeAmount.seconds(5)

    /// - Parameter permit: of a client that was let in elsewhere, whose channel releases it.
    init(_ core: ProxyCore, permit: ClientPermit? = nil) {
        self.core = core
        self.permit = permit
        self.snapshot = core.snapshot
    }

    // MARK: Events of the channel

    /// Told to the next handler once it is there: for it the connection begins then.
    func channelActive(context: ChannelHandlerContext) {
        self.client = ConnectedClient(context.remoteAddress)
        let time = TimeAmount(self.snapshot.configuration.headTimeout)
        if self.permit == nil, self.snapshot.configuration.proxyProtocolFrom.contains(self.client.address) {
            self.phase = .readingHeader
            self.arm(in: min(time, Self.headerTime), context: context)
        } else {
            self.begin(context: context)
        }
    }

    /// The client is known, and its limits count from here on.
    ///
    /// - Returns: whether it may stay, if only to be told that it is one too many.
    @discardableResult
    private func begin(context: ChannelHandlerContext) -> Bool {
        guard let permit = self.permit ?? self.core.admit(context.channel, client: self.client.address)
        else {
            self.close(context: context)
            return false
        }
        self.permit = permit
        self.phase = .waiting
        self.arm(in: permit.headTime(self.snapshot.configuration), context: context)
        return true
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        if case .done = self.phase { return context.fireChannelRead(data) }
        self.buffer.writeImmutableBuffer(Self.unwrapInboundIn(data))
        self.read(context: context)
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if case .done = self.phase { return context.fireUserInboundEventTriggered(event) }
        switch event {
        case ChannelEvent.inputClosed:
            self.close(context: context)
        case DrainEvent.begin where self.buffer.readableBytes == 0 && !self.isShakingHands:
            // What was sent before the stop is answered.
            if !context.channel.hasUnread { self.close(context: context) }
        case DrainEvent.deadline:
            self.close(context: context)
        case let event as TLSUserEvent:
            guard case .handshakeCompleted(let negotiated) = event else { return }
            self.handshakeCompleted(negotiated, context: context)
        default:
            context.fireUserInboundEventTriggered(event)
        }
    }

    func channelInactive(context: ChannelHandlerContext) {
        self.timer?.cancel()
        if case .done = self.phase { context.fireChannelInactive() }
        self.phase = .done
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        if case .done = self.phase { return context.fireErrorCaught(error) }
        let what = self.isShakingHands ? "TLS handshake with a client failed" : "client connection failed"
        self.core.logger.info(
            "\(what)", metadata: ["client": "\(self.client.description)", "error": "\(error)"])
        self.close(context: context)
    }

    private var isShakingHands: Bool {
        if case .shakingHands = self.phase { true } else { false }
    }

    // MARK: What a connection begins with

    private func read(context: ChannelHandlerContext) {
        switch self.phase {
        case .readingHeader: self.readHeader(context: context)
        case .waiting, .waitingInsideTLS: self.readFirstOctet(context: context)
        case .shakingHands, .done: break
        }
    }

    private func readHeader(context: ChannelHandlerContext) {
        do {
            guard let header = try ProxyProtocolHeader.parse(&self.buffer) else { return }
            self.client.replace(by: header.source)
            if self.begin(context: context) { self.readFirstOctet(context: context) }
        } catch {
            self.refuse(error.description, context: context)
        }
    }

    private func readFirstOctet(context: ChannelHandlerContext) {
        guard let first = self.buffer.readableBytesView.first else { return }
        do {
            switch (ConnectionProtocol(firstOctet: first), self.phase, self.snapshot.listenerTLS) {
            case (.tls, .waiting, let tls?):
                try self.startTLS(tls, context: context)
            case (.socks, _, _):
                try self.makeWay(for: .socks, context: context)
            case (.tls, _, _), (.http, _, _):
                try self.makeWay(for: .http, context: context)
            }
        } catch {
            self.errorCaught(context: context, error: error)
        }
    }

    private func startTLS(_ tls: NIOSSLContext, context: ChannelHandlerContext) throws {
        self.phase = .shakingHands
        let bytes = self.buffer
        self.buffer = ByteBuffer()
        let pipeline = context.pipeline.syncOperations
        try pipeline.addHandler(UncleanShutdownFilter(), position: .before(self))
        try pipeline.addHandler(NIOSSLServerHandler(context: tls), position: .first)
        // From the front, where TLS now is.
        pipeline.fireChannelRead(NIOAny(bytes))
        pipeline.fireChannelReadComplete()
    }

    private func handshakeCompleted(_ negotiated: String?, context: ChannelHandlerContext) {
        guard self.isShakingHands else { return }
        self.phase = .waitingInsideTLS
        let tls = try? context.pipeline.syncOperations.handler(type: NIOSSLServerHandler.self)
        self.client.certificateUser = tls?.peerCertificate.flatMap(CertificateSubject.commonName)
        guard negotiated == ListenerTLS.http2 else { return }
        do {
            try self.makeWay(context: context) {
                try HTTP2Connection.configure(
                    $0, behind: self, on: context.eventLoop, core: self.core, client: self.client)
            }
        } catch {
            self.errorCaught(context: context, error: error)
        }
    }

    private func makeWay(for language: ConnectionProtocol, context: ChannelHandlerContext) throws {
        guard let permit else { return self.close(context: context) }
        try self.makeWay(context: context) {
            let handler = ConnectionHandler(
                self.core, client: self.client, permit: permit, speaking: language)
            try $0.addHandler(handler, position: .after(self))
        }
    }

    private func makeWay(
        context: ChannelHandlerContext, for next: (ChannelPipeline.SynchronousOperations) throws -> Void
    ) throws {
        self.phase = .done
        self.timer?.cancel()
        try next(context.pipeline.syncOperations)
        context.fireChannelActive()
        if self.buffer.readableBytes > 0 {
            context.fireChannelRead(Self.wrapInboundOut(self.buffer))
            context.fireChannelReadComplete()
        }
        context.pipeline.syncOperations.removeHandler(context: context, promise: nil)
    }

    // MARK: Ends

    private func arm(in time: TimeAmount, context: ChannelHandlerContext) {
        self.timer?.cancel()
        let bound = NIOLoopBound((handler: self, context: context), eventLoop: context.eventLoop)
        self.timer = context.eventLoop.scheduleTask(in: time) {
            let (handler, context) = bound.value
            if case .readingHeader = handler.phase {
                handler.refuse("no PROXY protocol header in time", context: context)
            } else {
                handler.close(context: context)
            }
        }
    }

    /// Without an answer: whoever sends a wrong header is no client, and nothing says what it speaks.
    private func refuse(_ reason: String, context: ChannelHandlerContext) {
        var entry = AccessLogEntry()
        entry.timestamp = Date().timeIntervalSince1970
        entry.client = self.client.description
        entry.status = 400
        entry.reason = reason
        self.core.record(entry)
        self.close(context: context)
    }

    private func close(context: ChannelHandlerContext) {
        self.timer?.cancel()
        self.phase = .done
        context.close(promise: nil)
    }
}
