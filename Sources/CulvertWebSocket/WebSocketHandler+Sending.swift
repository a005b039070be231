import NIOCore
import WebSocketWire

/// Messages, pings and the close that go.
extension WebSocketHandler {
    func send(_ ticket: SendTicket) {
        if ticket.isCancelled { return ticket.fail(CancellationError()) }
        guard !self.isOver else { return ticket.fail(self.endingError) }
        if case .piece(_, let stream) = ticket.content, !self.sends.isActive(stream) {
            return ticket.fail(Self.messageHasEnded)
        }
        self.sends.append(ticket)
        self.sendWaiting()
    }

    /// Sends a message that has to wait for nothing; false when it has to.
    func sendAtOnce(_ message: WebSocketMessage) throws(WebSocketError) -> Bool {
        guard self.sends.isEmpty, self.context?.channel.isWritable == true else { return false }
        if let error = self.write(.message(message)) { throw error }
        self.traffic.sent(message.byteCount)
        self.countTraffic()
        return true
    }

    func cancel(_ ticket: SendTicket) {
        ticket.isCancelled = true
        if self.sends.remove(ticket) { ticket.fail(CancellationError()) }
    }

    func sendWaiting() {
        while self.context?.channel.isWritable == true, let ticket = self.sends.next() {
            if let error = self.write(ticket.content) {
                ticket.fail(error)
            } else {
                self.traffic.sent(ticket.content)
                ticket.succeed()
            }
        }
        self.countTraffic()
    }

    private func write(_ content: SendTicket.Content) -> WebSocketError? {
        switch content {
        case .message(let message):
            var payload: ByteBuffer?
            let error = self.sendFrame { (machine, outbound) throws(WebSocketSendError) in
                try machine.send(message, outbound: &outbound, payload: &payload)
            }
            if let payload, let context {
                self.writeFrames(context)
                context.write(Self.wrapOutboundOut(payload), promise: nil)
            }
            return error
        case .prepared(let prepared):
            // Not behind others in one buffer: its bytes are shared, not copied.
            if let context { self.writeFrames(context) }
            return self.sendFrame { (machine, outbound) throws(WebSocketSendError) in
                try machine.send(prepared, outbound: &outbound)
            }
        case .stream(let stream):
            guard !self.isOver, self.machine.isOpen else { return self.endingError }
            self.sends.begin(stream)
            return nil
        case .piece(let bytes, let stream):
            let error = self.sendFrame { (machine, outbound) throws(WebSocketSendError) in
                try machine.send(fragment: bytes, opcode: stream.opcode, fin: false, outbound: &outbound)
            }
            if error == nil { self.sends.wrotePiece() }
            return error
        }
    }

    /// Ends a message that was sent piece by piece with an empty frame, which waits for nothing: its length is that
    /// of a ping. Does not end it where it would not be a message.
    func finish(_ stream: MessageStream) -> WebSocketError? {
        guard self.sends.isActive(stream) else { return self.endingError }
        let error = self.sendFrame { (machine, outbound) throws(WebSocketSendError) in
            try machine.send(fragment: ByteBuffer(), opcode: stream.opcode, fin: true, outbound: &outbound)
        }
        if error == nil {
            self.traffic.sent(0)
            self.endStream()
        }
        return error
    }

    /// Gives up a message that was begun: closes with 1011, because nothing else ends it without a lie.
    func abandon(_ stream: MessageStream, timeout: TimeAmount) {
        guard self.sends.isActive(stream) else { return }
        if self.sends.hasBegun {
            let reason = "a message could not be completed"
            _ = self.close(.internalError, reason: reason, timeout: timeout)
            self.ending = self.ending ?? .closed(WebSocketClose(code: .internalError, reason: reason))
        }
        self.endStream()
    }

    private func endStream() {
        for ticket in self.sends.endStream() { ticket.fail(Self.messageHasEnded) }
        self.sendWaiting()
    }

    private static let messageHasEnded = WebSocketError.unsendable("the message has ended")

    func ping(_ ticket: PingTicket) {
        if ticket.isCancelled { return ticket.fail(CancellationError()) }
        self.pingCount += 1
        let payload = ByteBuffer(integer: self.pingCount)
        ticket.payload = payload
        ticket.sentAt = self.context?.eventLoop.now
        let error = self.sendFrame { (machine, outbound) throws(WebSocketSendError) in
            try machine.sendPing(payload, outbound: &outbound)
        }
        if let error { return ticket.fail(error) }
        self.waitingPings.append(ticket)
    }

    func cancel(_ ticket: PingTicket) {
        ticket.isCancelled = true
        guard let index = self.waitingPings.firstIndex(where: { $0 === ticket }) else { return }
        self.waitingPings.remove(at: index)
        ticket.fail(CancellationError())
    }

    func pongArrived(_ payload: ByteBuffer) {
        // A pong answers its ping and, as RFC 6455 §5.5.3 allows, every earlier one that got none of its own.
        guard let index = self.waitingPings.firstIndex(where: { $0.payload == payload }) else { return }
        if let sentAt = self.waitingPings[index].sentAt, let context {
            let nanoseconds = (context.eventLoop.now - sentAt).nanoseconds
            self.latency.set(.nanoseconds(nanoseconds))
            self.settings.metrics.pong(after: nanoseconds)
        }
        for ticket in self.waitingPings[...index] { ticket.succeed() }
        self.waitingPings.removeSubrange(...index)
    }

    /// Sends a close frame, once, and cuts the connection when the peer has not answered in time.
    func close(_ code: WebSocketCloseCode, reason: String, timeout: TimeAmount) -> WebSocketError? {
        // What the peer said first counts.
        self.performHeldEnd()
        guard !self.isOver, !self.machine.closeSent else { return nil }
        let error = self.sendFrame { (machine, outbound) throws(WebSocketSendError) in
            try machine.sendClose(code, reason: reason, outbound: &outbound)
        }
        if error == nil {
            self.sentCloseCode = code
            self.awaitClose(within: timeout)
        }
        return error
    }

    /// The peer's answer is due a timeout after our close frame is out; see ``CloseWait``.
    func awaitClose(within timeout: TimeAmount) {
        // What the socket takes at once is out.
        self.flush()
        self.awaitClose(CloseWait(unsentBytes: self.unsentBytes), within: timeout)
    }

    private func awaitClose(_ wait: CloseWait, within timeout: TimeAmount) {
        guard let context else { return }
        self.closeTask?.cancel()
        let bound = NIOLoopBound((handler: self, context: context), eventLoop: context.eventLoop)
        self.closeTask = context.eventLoop.scheduleTask(in: timeout) {
            let (handler, context) = bound.value
            var wait = wait
            switch wait.timerFired(unsentBytes: handler.unsentBytes) {
            case .waitAgain: handler.awaitClose(wait, within: timeout)
            case .cut: context.channel.closeWithoutFarewell()
            }
        }
    }

    /// Bytes that have not arrived at the peer.
    var unsentBytes: Int { self.context?.channel.unsentBytes ?? 0 }

    func closeChannel(within timeout: TimeAmount) {
        guard let context else { return }
        self.closeTask?.cancel()
        let bound = NIOLoopBound(context, eventLoop: context.eventLoop)
        self.closeTask = context.eventLoop.scheduleTask(in: timeout) {
            bound.value.channel.closeWithoutFarewell()
        }
    }

    private func sendFrame(
        _ make: (inout WebSocketMachine, inout ByteBuffer) throws(WebSocketSendError) -> Void
    ) -> WebSocketError? {
        guard !self.isOver, let context else { return self.endingError }
        do throws(WebSocketSendError) {
            try make(&self.machine, &self.frames.bytes)
        } catch {
            if case .closed = error { return self.endingError }
            return .unsendable("\(error)")
        }
        if self.frames.isFull { self.writeFrames(context) }
        self.flushSoon(context)
        return nil
    }

    /// Hands the channel what was collected for it. Before anything else is written.
    func writeFrames(_ context: ChannelHandlerContext) {
        guard let frames = self.frames.take() else { return }
        context.write(Self.wrapOutboundOut(frames), promise: nil)
    }

    /// What is sent in one turn of the loop goes out together: a system call costs more than many small frames.
    private func flushSoon(_ context: ChannelHandlerContext) {
        guard !self.isFlushDue else { return }
        self.isFlushDue = true
        guard !self.isInTurn else { return }
        let bound = NIOLoopBound(self, eventLoop: context.eventLoop)
        context.eventLoop.execute { bound.value.flush() }
    }

    /// Sends what waits for the end of the turn.
    func flush() {
        guard self.isFlushDue, let context else { return }
        self.isFlushDue = false
        self.writeFrames(context)
        context.flush()
    }

    /// Performs what belongs together: the frames go out in one piece at its end.
    func takeTurn(_ work: () -> Void) {
        // A turn inside another ends with it.
        guard !self.isInTurn else { return work() }
        self.isInTurn = true
        work()
        self.isInTurn = false
        self.countTraffic()
        self.flush()
    }

    /// Tells the counters, once a turn.
    func countTraffic() {
        if !self.isInTurn { self.settings.metrics.add(&self.traffic) }
    }
}
