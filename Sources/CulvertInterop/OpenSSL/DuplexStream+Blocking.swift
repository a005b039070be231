package import NIOCore

/// What waits, for as long as the stream's patience lasts each time.
///
/// Throws `DuplexStreamError`, `SystemCallError` or `OpenSSLError`.
extension DuplexStream {
    /// 256 KiB: enough for one call of the system, and no more than that is held twice.
    private static let maxQueued = 256 << 10

    /// Connects to a port of 127.0.0.1, plain.
    package static func connect(toPort port: Int, patience: Duration = .seconds(30)) throws -> DuplexStream {
        try connect(toPort: port, stopSignal: StopSignal(), patience: patience)
    }

    static func connect(
        toPort port: Int, stopSignal: StopSignal, patience: Duration
    ) throws -> DuplexStream {
        let socket = try LoopbackSocket()
        try socket.startConnecting(toPort: port)
        let interest = StopSignal.Interest(descriptor: socket.descriptor, toWrite: true)
        try stopSignal.wait(for: [interest], until: .now + patience)
        try socket.checkConnected()
        return DuplexStream(socket, session: nil, stopSignal: stopSignal, patience: patience)
    }

    /// Completes the TLS handshake, all of it within a time. Nothing to do where the stream is plain.
    func handshake(within limit: Duration) throws {
        let deadline = ContinuousClock.now + limit
        do {
            while try !handshakeNow() {
                _ = try flushNow()
                try stopSignal.wait(for: [interest(toRead: true)], until: deadline)
            }
            try flush()
        } catch {
            // The alert that says why.
            _ = try? flushNow()
            throw error
        }
    }

    /// The next bytes; nil once the peer sends no more.
    package func read() throws -> ByteBuffer? {
        while true {
            switch try receiveNow() {
            case .bytes(let bytes): return bytes
            case .end: return nil
            case .nothingYet: break
            }
            _ = try flushNow()
            try stopSignal.wait(for: [interest(toRead: true)], until: .now + patience)
        }
    }

    /// Returns once the system has taken all of it.
    package func write(_ bytes: ByteBuffer) throws {
        var rest = bytes
        while let piece = rest.readSlice(length: min(rest.readableBytes, Self.maxQueued)),
            piece.readableBytes > 0
        {
            try queue(piece)
            try flush()
        }
    }

    /// Tells the peer that nothing follows; what it sends can still be read.
    package func closeOutput() throws {
        queueEnd()
        try flush()
    }

    /// Closes so that the peer gets all that was written: a socket closed with unread bytes in it resets, and takes
    /// along what the peer has not read yet. The peer has a time to end too.
    func finish(within limit: Duration) throws {
        try closeOutput()
        let deadline = ContinuousClock.now + limit
        while deadline > .now {
            switch try receiveNow() {
            case .bytes: continue
            case .end: return close()
            case .nothingYet: try stopSignal.wait(for: [interest(toRead: true)], until: deadline)
            }
        }
        close()
    }

    private func flush() throws {
        while try !flushNow() {
            try stopSignal.wait(for: [interest(toRead: false)], until: .now + patience)
        }
    }
}
