import HTTPTypes
import NIOCore
import WebSocketWire

/// Our handshake and our frames in a tunnel of libcurl's.
actor LibcurlConnection: CurlConnection {
    private let thread = CurlThread()
    nonisolated var unownedExecutor: UnownedSerialExecutor { self.thread.asUnownedSerialExecutor() }
    nonisolated let bell: CurlBell

    private let tunnel: CurlTunnel
    private let limits: WebSocketLimits
    private var handshake: ClientHandshake
    private var machine: WebSocketMachine
    private var outbound = ByteBuffer()
    /// Came while something else was waited for.
    private var messages: [WebSocketMessage] = []
    private var pongs: [ByteBuffer] = []
    private var pingCount: UInt64 = 0
    private var peerClose: WebSocketClose?
    /// Why nothing more can come.
    private var ending: InteropFailure?

    init(_ tunnel: sending CurlTunnel, url: WebSocketURL, _ request: SocketRequest) throws(InteropFailure) {
        self.tunnel = tunnel
        self.bell = try CurlBell()
        var random = SystemRandomNumberGenerator()
        do throws(HandshakeRequestError) {
            self.handshake = try ClientHandshake(
                url: url, subprotocols: request.subprotocols,
                compression: request.offersCompression ? .deflate() : .disabled,
                nonce: (0..<16).map { _ in UInt8.random(in: .min ... .max, using: &random) })
        } catch {
            throw InteropFailure(.other, "\(error)")
        }
        self.limits = WebSocketLimits { $0.maxMessageBytes = request.maxMessageBytes }
        self.machine = Self.machine(self.limits)
    }

    private static func machine(
        _ limits: WebSocketLimits, transform: (any PayloadTransform)? = nil
    ) -> WebSocketMachine {
        WebSocketMachine(
            role: .client, limits: limits, maskingKey: { UInt32.random(in: .min ... .max) },
            transform: transform)
    }

    // MARK: Calls

    func open(_ deadline: CurlDeadline) throws -> CurlAgreement {
        try self.tunnel.open(deadline)
        self.outbound = self.handshake.request()
        while true {
            _ = try self.tunnel.send(&self.outbound)
            let action: ClientHandshake.Action
            switch try self.tunnel.receive() {
            case .later:
                try self.tunnel.wait(deadline)
                continue
            case .bytes(let bytes): action = self.handshake.receive(bytes)
            case .end: action = self.handshake.receiveEOF()
            }
            switch action {
            case .needMore: continue
            case .upgraded(_, let subprotocol, _, let leftover):
                let deflate = self.handshake.deflate
                self.machine = Self.machine(self.limits, transform: deflate)
                self.machine.receive(leftover)
                self.takeActions()
                return CurlAgreement(subprotocol: subprotocol, isCompressed: deflate != nil)
            case .refused(let response, _, _):
                throw InteropFailure(
                    .upgradeRefused(status: response.status.code), "the server answered \(response.status)")
            case .failed(let failure):
                if case .closed = failure.reason { throw InteropFailure(.connectionLost, "\(failure)") }
                throw InteropFailure(.protocolViolation, "\(failure)")
            }
        }
    }

    func send(_ message: WebSocketMessage, _ deadline: CurlDeadline) throws {
        try self.write { (machine, outbound) throws(WebSocketSendError) in
            try machine.send(message, outbound: &outbound)
        }
        try self.flush(deadline)
    }

    func send(fragments: [String], _ deadline: CurlDeadline) throws {
        for (index, text) in fragments.enumerated() {
            try self.write { (machine, outbound) throws(WebSocketSendError) in
                try machine.send(
                    fragment: ByteBuffer(string: text), opcode: index == 0 ? .text : .continuation,
                    fin: index == fragments.count - 1, outbound: &outbound)
                if index == 0 { try machine.sendPing(ByteBuffer(string: "between"), outbound: &outbound) }
            }
        }
        try self.flush(deadline)
    }

    func receive(_ deadline: CurlDeadline) throws -> WebSocketMessage? {
        while self.messages.isEmpty, self.peerClose == nil { try self.move(deadline) }
        if !self.messages.isEmpty { return self.messages.removeFirst() }
        // Our answer to the close; a peer that is gone already does not wait for it.
        try? self.flush(deadline)
        return nil
    }

    func ping(_ deadline: CurlDeadline) throws {
        self.pingCount += 1
        let payload = ByteBuffer(string: "ping \(self.pingCount)")
        try self.write { (machine, outbound) throws(WebSocketSendError) in
            try machine.sendPing(payload, outbound: &outbound)
        }
        while !self.pongs.contains(payload) {
            if self.peerClose != nil { throw InteropFailure(.connectionLost, "closed before the pong") }
            try self.move(deadline)
        }
        self.pongs = []
    }

    func close(
        _ code: WebSocketCloseCode, reason: String, _ deadline: CurlDeadline
    ) throws -> WebSocketClose {
        while true {
            if let peerClose = self.peerClose { return peerClose }
            // Only the first one goes out.
            try self.write { (machine, outbound) throws(WebSocketSendError) in
                try machine.sendClose(code, reason: reason, outbound: &outbound)
            }
            try self.move(deadline)
        }
    }

    // MARK: Moving bytes

    private func write(
        _ body: (inout WebSocketMachine, inout ByteBuffer) throws(WebSocketSendError) -> Void
    ) throws(InteropFailure) {
        if let ending = self.ending { throw ending }
        do throws(WebSocketSendError) {
            try body(&self.machine, &self.outbound)
        } catch {
            throw InteropFailure(.other, "\(error)")
        }
    }

    private func flush(_ deadline: CurlDeadline) throws {
        while self.outbound.readableBytes > 0 || self.tunnel.isSending { try self.move(deadline) }
    }

    /// Sends and receives what is possible now; waits when that is nothing. What comes is taken while sending too: a
    /// server that echoes piece by piece stops reading when its answers are not read.
    private func move(_ deadline: CurlDeadline) throws {
        if let ending = self.ending { throw ending }
        var hasMoved = try self.tunnel.send(&self.outbound)
        switch try self.tunnel.receive() {
        case .bytes(let bytes):
            self.machine.receive(bytes)
            self.takeActions()
            hasMoved = true
        case .end:
            self.ending = InteropFailure(.connectionLost, "the connection ended without a close frame")
            hasMoved = true
        case .later: break
        }
        if !hasMoved { try self.tunnel.wait(deadline) }
    }

    private func takeActions() {
        while true {
            switch self.machine.nextAction(outbound: &self.outbound) {
            case .needMore: return
            case .ping, .fragment: break
            case .message(let message): self.messages.append(message)
            case .pong(let payload): self.pongs.append(payload)
            case .closing(let close): self.peerClose = close
            case .failed(let error): self.ending = InteropFailure(.protocolViolation, "\(error)")
            }
        }
    }
}
