import HTTPWire
import NIOCore
import WebSocketWire

/// The upgrade, then every message back to its sender.
final class EchoHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private enum Phase {
        case readingHead(HeadParser, ByteBuffer)
        case open(WebSocketMachine)
        case closed
    }

    private var phase = Phase.readingHead(HeadParser(mode: .strict, limits: .serving), ByteBuffer())

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let bytes = Self.unwrapInboundIn(data)
        switch self.phase {
        case .readingHead(let parser, var waiting):
            waiting.writeImmutableBuffer(bytes)
            self.readHead(parser, waiting, context: context)
        case .open(var machine):
            self.phase = .closed
            machine.receive(bytes)
            self.echo(machine, context: context)
        case .closed:
            break
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        context.close(promise: nil)
    }

    private func readHead(_ parser: HeadParser, _ waiting: ByteBuffer, context: ChannelHandlerContext) {
        var parser = parser
        var waiting = waiting
        do {
            guard let head = try parser.parseRequest(&waiting) else {
                self.phase = .readingHead(parser, waiting)
                return
            }
            let (response, _) = try ServerHandshake(head).accept()
            context.writeAndFlush(Self.wrapOutboundOut(response), promise: nil)
        } catch {
            self.phase = .closed
            return context.close(promise: nil)
        }
        // A server sends unmasked frames; the key is never asked for.
        var machine = WebSocketMachine(role: .server, limits: WebSocketLimits(), maskingKey: { 0 })
        machine.receive(waiting)
        self.echo(machine, context: context)
    }

    private func echo(_ machine: consuming WebSocketMachine, context: ChannelHandlerContext) {
        var machine = machine
        var outbound = ByteBuffer()
        var isOver = false
        actions: while true {
            switch machine.nextAction(outbound: &outbound) {
            case .needMore:
                break actions
            case .message(let message):
                do {
                    try machine.send(message, outbound: &outbound)
                } catch {
                    isOver = true
                    break actions
                }
            case .ping, .pong:
                break
            case .closing, .failed:
                isOver = true
                break actions
            }
        }
        self.phase = isOver ? .closed : .open(machine)
        let written = context.eventLoop.makePromise(of: Void.self)
        context.writeAndFlush(Self.wrapOutboundOut(outbound), promise: written)
        guard isOver else { return }
        let bound = NIOLoopBound(context, eventLoop: context.eventLoop)
        written.futureResult.whenComplete { _ in bound.value.close(promise: nil) }
    }
}
