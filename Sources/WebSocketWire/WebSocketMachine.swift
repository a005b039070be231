package import NIOCore

/// One WebSocket connection after the opening handshake, as either role (RFC 6455 §5–§7).
///
/// Feed it with `receive`, then call `nextAction` until it says `.needMore`. What it answers by itself (pongs, the
/// echo of a close frame, the close frame for a broken rule) is appended to the `outbound` that the call is given;
/// the caller writes that when it is not empty. It has no clock: pings and timeouts are the caller's.
///
/// After our close frame the peer's messages are still delivered until its close frame comes, so that the last
/// answers of a peer are not lost (§5.5.1: only *after* its own close frame a peer may send no more).
package struct WebSocketMachine: Sendable {
    package let role: WebSocketRole
    let maskingKey: @Sendable () -> UInt32
    private var decoder: FrameDecoder
    private var assembler: MessageAssembler
    var transform: (any PayloadTransform)?
    /// The frame whose payload is being read.
    private var frame: FrameHeader?
    /// The payload of the control frame that is being read.
    private var control = ByteBuffer()
    var phase = Phase.open
    /// The message that is being sent in fragments.
    var outgoing: OutgoingMessage?
    /// What ends the connection has come, and the caller holds it back.
    private var heldEnd: HeldEnd?

    private enum HeldEnd {
        case closing(WebSocketClose)
        case failed(WebSocketProtocolError)
    }

    enum Phase: Sendable {
        /// Data both ways. Leaves on a close frame from either side, a broken rule, EOF.
        case open
        /// Our close frame was sent, the peer's did not come yet. Leaves on it, a broken rule, EOF.
        case closing
        /// Both close frames have passed; this was the peer's.
        case closed(WebSocketClose)
        /// A rule was broken, or the bytes ended without the peer's close frame.
        case aborted
    }

    struct OutgoingMessage {
        let opcode: WebSocketOpcode
        let isTransformed: Bool
        var validator = UTF8Validator()
    }

    /// What came of the received bytes.
    package enum Action: Sendable, Hashable {
        /// Nothing to do until more bytes are received.
        case needMore
        /// A whole message.
        case message(WebSocketMessage)
        /// The next piece of a message that is not delivered whole; see ``WebSocketMachine/delivery``.
        case fragment(WebSocketFragment)
        /// A ping with its payload. Its pong is in `outbound`, unless our close frame went before it.
        case ping(ByteBuffer)
        /// A pong with its payload, asked for or not.
        case pong(ByteBuffer)
        /// The peer's close frame came; ours is in `outbound` if it was not sent before. Nothing follows.
        case closing(WebSocketClose)
        /// The peer broke a rule; a close frame that says so is in `outbound`, unless one was sent before. Nothing
        /// follows.
        case failed(WebSocketProtocolError)
    }

    /// - Parameters:
    ///   - maskingKey: a fresh, unpredictable key for every frame of a client (§5.3, §10.3); not called by a server.
    ///   - transform: a negotiated extension that uses reserved bit 1; without one the bit is an error.
    package init(
        role: WebSocketRole, limits: WebSocketLimits = WebSocketLimits(),
        maskingKey: @escaping @Sendable () -> UInt32, transform: (any PayloadTransform)? = nil
    ) {
        self.role = role
        self.maskingKey = maskingKey
        self.transform = transform
        self.decoder = FrameDecoder(
            rules: FrameHeader.Rules(
                expectsMask: role == .server, allowsRSV1: transform != nil,
                maxFrameBytes: limits.maxFrameBytes))
        self.assembler = MessageAssembler(limits: limits)
    }

    /// Whether messages are handed out whole or as they come. May change at any time; a message of which a fragment
    /// went out comes in fragments to its end.
    package var delivery: MessageDelivery {
        get { assembler.delivery }
        set { assembler.delivery = newValue }
    }

    /// What ends the connection has come, and waits for a call that does not hold it back.
    package var holdsEnd: Bool {
        // `mutating` though it changes nothing: a machine that is a class' property would be copied for each call.
        mutating get { heldEnd != nil }
    }

    /// Data and control frames may be sent.
    package var isOpen: Bool {
        if case .open = phase { true } else { false }
    }

    /// No close frame of ours may follow: one was sent, or the connection is over.
    package var closeSent: Bool { !isOpen }

    /// The peer's close frame came.
    package var closeReceived: Bool {
        if case .closed = phase { true } else { false }
    }

    /// Bytes held: received ones not yet looked at, and the unfinished message.
    package var bufferedBytes: Int {
        decoder.bufferedBytes + assembler.bufferedBytes + control.readableBytes
    }

    // MARK: Receiving

    /// Takes bytes off the connection. What comes after the end of the WebSocket is thrown away.
    package mutating func receive(_ bytes: ByteBuffer) {
        guard heldEnd == nil else { return }
        switch phase {
        case .open, .closing: decoder.append(bytes)
        case .closed, .aborted: break
        }
    }

    /// The next thing that the received bytes amount to.
    ///
    /// - Parameter holdsEnd: the peer's close frame, or its breaking a rule, waits until a call without it, and the
    ///   connection stays open for what is sent meanwhile: the answers to the messages that came before. It does not
    ///   wait behind our close frame, where nothing can be sent.
    package mutating func nextAction(outbound: inout ByteBuffer, holdsEnd: Bool = false) -> Action {
        switch phase {
        case .open, .closing: break
        case .closed, .aborted: return .needMore
        }
        do throws(WebSocketProtocolError) {
            switch heldEnd {
            case nil: break
            case .closing(let close): return received(close, holds: holdsEnd, outbound: &outbound)
            case .failed(let error): throw error
            }
            return try readFrames(holdsEnd: holdsEnd, outbound: &outbound)
        } catch {
            return failed(error, holds: holdsEnd, outbound: &outbound)
        }
    }

    private mutating func received(
        _ close: WebSocketClose, holds: Bool, outbound: inout ByteBuffer
    ) -> Action {
        if holds, isOpen { return hold(.closing(close)) }
        if isOpen {
            // §5.5.1: the answer repeats the code; a frame without one is answered by one without.
            let code = close.code == .noStatusReceived ? nil : close.code
            writeClose(code, reason: "", outbound: &outbound)
        }
        end(.closed(close))
        return .closing(close)
    }

    private mutating func failed(
        _ error: WebSocketProtocolError, holds: Bool, outbound: inout ByteBuffer
    ) -> Action {
        if holds, isOpen { return hold(.failed(error)) }
        if isOpen {
            writeClose(error.closeCode, reason: error.detail, outbound: &outbound)
        }
        end(.aborted)
        return .failed(error)
    }

    private mutating func hold(_ end: HeldEnd) -> Action {
        heldEnd = end
        decoder.discard()
        assembler.discard()
        return .needMore
    }

    /// The peer's output ended. How the connection closed: the peer's close frame, or 1006 when none came.
    package mutating func receiveEOF() -> WebSocketClose {
        if case .closed(let close) = phase { return close }
        if case .closing(let close) = heldEnd {
            end(.closed(close))
            return close
        }
        end(.aborted)
        return WebSocketClose(code: .abnormalClosure)
    }

    private mutating func readFrames(
        holdsEnd: Bool, outbound: inout ByteBuffer
    ) throws(WebSocketProtocolError) -> Action {
        while true {
            guard let header = try currentFrame() else {
                return try assembler.fragment(isLast: false, isAll: true).map(Action.fragment) ?? .needMore
            }
            if header.opcode.isControl {
                decoder.readPayload(into: &control)
                guard decoder.payloadRemaining == 0 else { return .needMore }
                frame = nil
                let payload = control
                control = ByteBuffer()
                return try received(header.opcode, payload, holdsEnd: holdsEnd, outbound: &outbound)
            }
            if assembler.isIdle {
                frame = nil
                return .message(try assembler.whole(header, from: &decoder))
            }
            try assembler.append(from: &decoder, fin: header.fin, transform: &transform)
            let frameEnded = decoder.payloadRemaining == 0
            let isLast = header.fin && frameEnded
            if frameEnded { frame = nil }
            if let fragment = try assembler.fragment(isLast: isLast, isAll: decoder.bufferedBytes == 0) {
                return .fragment(fragment)
            }
            if isLast { return .message(try assembler.finish()) }
            guard frameEnded || decoder.bufferedBytes > 0 else { return .needMore }
        }
    }

    /// The frame that is being read, or the next one.
    private mutating func currentFrame() throws(WebSocketProtocolError) -> FrameHeader? {
        if let frame { return frame }
        guard let next = try decoder.nextHeader() else { return nil }
        if !next.opcode.isControl, !assembler.isWhole(next, in: decoder) { try assembler.begin(next) }
        frame = next
        return next
    }

    private mutating func received(
        _ opcode: WebSocketOpcode, _ payload: ByteBuffer, holdsEnd: Bool, outbound: inout ByteBuffer
    ) throws(WebSocketProtocolError) -> Action {
        switch opcode {
        case .ping:
            if isOpen { write(.pong, payload, outbound: &outbound) }
            return .ping(payload)
        case .pong:
            return .pong(payload)
        case .close:
            return received(try WebSocketClose(payload: payload), holds: holdsEnd, outbound: &outbound)
        case .continuation, .text, .binary:
            preconditionFailure("data frames go to the assembler")
        }
    }

    private mutating func end(_ phase: Phase) {
        self.phase = phase
        heldEnd = nil
        decoder.discard()
        assembler.discard()
        control = ByteBuffer()
        frame = nil
        outgoing = nil
        transform = nil
    }
}
