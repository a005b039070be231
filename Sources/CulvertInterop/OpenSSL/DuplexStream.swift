internal import NIOCore

/// One connection as two streams of bytes, plain or in TLS, with the socket beneath it.
///
/// Used by one thread. The steps here never wait; `read`, `write` and whatever else does is built of them.
package final class DuplexStream {
    /// What the peer sent.
    enum Received {
        case bytes(ByteBuffer)
        case nothingYet
        /// It sends no more. Not clean is an end of TLS without close_notify.
        case end(isClean: Bool)
    }

    private enum Output {
        /// Leaves on `queueEnd`.
        case open
        /// Nothing more is written. Leaves once all of `outbound` is sent.
        case ending
        /// FIN is sent.
        case ended
    }

    /// How long one wait may last in which no byte moves.
    package var patience: Duration
    let stopSignal: StopSignal
    private let session: TLSSession?
    private var socket: LoopbackSocket?
    /// Bytes for the wire that the system has not taken yet.
    private var outbound = ByteBuffer()
    private var output = Output.open
    /// Where bytes of the wire are read before they are decrypted; kept to be used again.
    private var wire = ByteBuffer()

    /// - Parameter session: TLS over the socket; nil is plain.
    init(_ socket: LoopbackSocket, session: TLSSession?, stopSignal: StopSignal, patience: Duration) {
        self.socket = socket
        self.session = session
        self.stopSignal = stopSignal
        self.patience = patience
    }

    /// Bytes that wait for the peer to take them, as they stand on the wire.
    var pendingBytes: Int { outbound.readableBytes }

    /// Ends both directions at once; what is pending is lost. Whatever is called after it throws `.closed`.
    package func close() {
        socket?.dispose()
        socket = nil
        outbound = ByteBuffer()
    }

    /// What to wait for: bytes to read, when the caller wants some, and room for what is pending.
    func interest(toRead: Bool) throws -> StopSignal.Interest {
        .init(descriptor: try openSocket().descriptor, toRead: toRead, toWrite: pendingBytes > 0)
    }

    /// The next bytes that are there, as many as one look at the socket brings.
    func receiveNow() throws -> Received {
        let socket = try openSocket()
        guard let session else {
            var bytes = ByteBuffer()
            return switch try socket.receive(into: &bytes) {
            case nil: .nothingYet
            case 0: .end(isClean: true)
            default: .bytes(bytes)
            }
        }
        // Answers of TLS itself, and the alert when it fails.
        defer { session.drain(into: &outbound) }
        while true {
            var bytes = ByteBuffer()
            let progress = try session.read(into: &bytes)
            if bytes.readableBytes > 0 { return .bytes(bytes) }
            if case .ended = progress { return .end(isClean: true) }
            switch try receiveWire(socket, session) {
            case nil: return .nothingYet
            case 0: return .end(isClean: false)
            default: continue
            }
        }
    }

    /// One step of the handshake; false when bytes of the peer are wanted first.
    func handshakeNow() throws -> Bool {
        guard let session else { return true }
        defer { session.drain(into: &outbound) }
        let socket = try openSocket()
        while true {
            switch try session.handshake() {
            case .done: return true
            case .ended: throw DuplexStreamError.endedInHandshake
            case .needMore: break
            }
            switch try receiveWire(socket, session) {
            case nil: return false
            case 0: throw DuplexStreamError.endedInHandshake
            default: continue
            }
        }
    }

    /// Adds to what is pending.
    func queue(_ bytes: ByteBuffer) throws {
        guard case .open = output else { throw DuplexStreamError.closed }
        guard let session else {
            outbound.writeImmutableBuffer(bytes)
            return
        }
        try bytes.withUnsafeReadableBytes { try session.write($0) }
        session.drain(into: &outbound)
    }

    /// Ends the output behind what is pending: close_notify in TLS, then FIN.
    func queueEnd() {
        guard case .open = output else { return }
        output = .ending
        session?.end()
        session?.drain(into: &outbound)
    }

    /// Sends what the system takes; whether that was all.
    func flushNow() throws -> Bool {
        let socket = try openSocket()
        try socket.send(from: &outbound)
        guard outbound.readableBytes == 0 else { return false }
        outbound.clear()
        if case .ending = output {
            socket.endOutput()
            output = .ended
        }
        return true
    }

    private func receiveWire(_ socket: LoopbackSocket, _ session: TLSSession) throws -> Int? {
        wire.clear()
        let count = try socket.receive(into: &wire)
        try wire.withUnsafeReadableBytes { try session.receive($0) }
        return count
    }

    private func openSocket() throws -> LoopbackSocket {
        guard let socket else { throw DuplexStreamError.closed }
        return socket
    }
}
