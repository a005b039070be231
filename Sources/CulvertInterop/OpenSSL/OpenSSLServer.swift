internal import Synchronization

/// Accepts connections on a free port of 127.0.0.1, in TLS or plain, and serves each on a thread of its own.
package final class OpenSSLServer: Sendable {
    /// Serves one connection; blocks for as long as that takes. When it returns, the output is ended and the peer
    /// may end too; what it throws closes the connection at once, and is told to nobody: peers that go early, or
    /// refuse our certificate, are what the harness is about.
    package typealias Handler = @Sendable (DuplexStream) throws -> Void

    package let port: Int
    private let stopSignal: StopSignal
    private let connections = ThreadGroup()
    private let acceptor: JoinableThread
    private let isStopped = Mutex(false)

    /// 10 s: two round trips and two signatures, on a machine that is busy.
    private static let handshakeLimit = Duration.seconds(10)
    /// 2 s: a live peer on this machine has long read the last bytes by then.
    private static let lingerLimit = Duration.seconds(2)

    /// Starts to accept.
    ///
    /// - Parameters:
    ///   - identity: who it is in TLS; nil serves plain TCP.
    ///   - maxConnections: at once; others wait to be accepted. 256: a bound on threads.
    ///   - patience: how long a connection may neither send nor take a byte.
    package init(
        identity: ServerIdentity?, maxConnections: Int = 256, patience: Duration = .seconds(120),
        handler: @escaping Handler
    ) throws {
        let context = try identity.map(TLSContext.init)
        let stopSignal = try StopSignal()
        let listener = try LoopbackSocket.bound()
        try listener.startListening()
        let port = try listener.port()
        let serve: @Sendable (LoopbackSocket) -> Void = { socket in
            let session: TLSSession?
            do { session = try context.map(TLSSession.init) } catch { return }
            let stream = DuplexStream(socket, session: session, stopSignal: stopSignal, patience: patience)
            defer { stream.close() }
            do {
                try stream.handshake(within: Self.handshakeLimit)
                try handler(stream)
                try stream.finish(within: Self.lingerLimit)
            } catch {}
        }
        let connections = self.connections
        self.acceptor = try JoinableThread {
            Self.accept(listener, stopSignal) { socket in
                try connections.start { serve(socket) }
                while connections.count >= maxConnections { try Self.pause(stopSignal) }
            }
        }
        self.stopSignal = stopSignal
        self.port = port
    }

    deinit { stop() }

    /// How many connections are being served.
    package var connectionCount: Int { connections.count }

    /// Ends all connections, and returns when their threads have ended and every descriptor is closed. Not to be
    /// called by a handler. A second call does nothing.
    package func stop() {
        isStopped.withLock { isStopped in
            guard !isStopped else { return }
            isStopped = true
            stopSignal.send()
            acceptor.join()
            connections.join()
        }
    }

    /// Until the signal.
    private static func accept(
        _ listener: LoopbackSocket, _ stopSignal: StopSignal, _ take: (LoopbackSocket) throws -> Void
    ) {
        defer { listener.dispose() }
        let interest = StopSignal.Interest(descriptor: listener.descriptor, toRead: true)
        while true {
            do {
                try stopSignal.wait(for: [interest], until: .now + .seconds(3600))
                if let socket = try listener.accepted() { try take(socket) }
            } catch DuplexStreamError.stopped {
                return
            } catch DuplexStreamError.timedOut {
                continue
            } catch {
                // Out of descriptors or threads: others will be given back.
                do { try pause(stopSignal) } catch { return }
            }
        }
    }

    /// 20 ms.
    private static func pause(_ stopSignal: StopSignal) throws {
        do {
            try stopSignal.wait(for: [], until: .now + .milliseconds(20))
        } catch DuplexStreamError.timedOut {}
    }
}
