/// TLS in front of a plain server on this machine: whatever speaks `ws` gets a `wss` URL by it, and a plain proxy an
/// `https` one.
package final class TLSFront: Sendable {
    private let server: OpenSSLServer

    /// - Parameters:
    ///   - identity: whom clients meet.
    ///   - port: of 127.0.0.1, where the plain server listens. It may start to listen later.
    ///   - patience: how long no byte may move in either direction.
    package init(
        _ identity: ServerIdentity, before port: Int, patience: Duration = .seconds(120)
    ) throws {
        server = try OpenSSLServer(identity: identity, patience: patience) { client in
            let plain = try DuplexStream.connect(
                toPort: port, stopSignal: client.stopSignal, patience: client.patience)
            defer { plain.close() }
            try StreamRelay.run(between: client, and: plain)
        }
    }

    /// Where it speaks TLS.
    package var port: Int { server.port }

    /// Ends all connections, and returns when nothing is left of them.
    package func stop() { server.stop() }
}
