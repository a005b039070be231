import ArgumentParser
import CulvertProxy
import CulvertWebSocket
import HTTPWire
import Logging
import NIOCore
import NIOSSL
import ServiceLifecycle
import UnixSignals

/// `culvert ws --listen`: a server in place of a client.
struct WebSocketEchoOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Be a server here instead; port 0 is a free one. Needs --echo. Repeatable.",
            discussion: """
                Takes --cert and --key for TLS, --subprotocol, --compress, -H for fields of the answer, \
                --max-message-bytes, --open-timeout and --close-timeout. SIGTERM or SIGINT close every connection \
                with 1001.
                """,
            valueName: "address:port"))
    var listen: [String] = []

    @Flag(help: "With --listen: send every message back to its sender.")
    var echo = false

    @Option(
        help: ArgumentHelp(
            "With --listen: let in browsers' pages of this origin only. Repeatable.",
            discussion: "Without it pages of every origin are let in.",
            valueName: "origin"))
    var allowOrigin: [String] = []

    var isServer: Bool { !self.listen.isEmpty }

    mutating func validate() throws {
        _ = try self.addresses()
        guard self.isServer == self.echo else {
            throw ValidationError("--listen and --echo belong together: give both or neither.")
        }
        if !self.isServer, !self.allowOrigin.isEmpty {
            throw ValidationError("--allow-origin is for --listen.")
        }
    }

    /// Serves until a signal.
    func run(_ upgrade: WebSocketUpgradeOptions, tls: TLSOptions.Identity?) async throws {
        let addresses = try self.addresses()
        let server = WebSocketServer(
            try .init {
                $0.addresses = addresses
                $0.tls = try tls.map { try $0.serverConfiguration() }
                $0.upgrade = upgrade
                $0.upgrade.origins = self.allowOrigin.isEmpty ? .any : .listed(self.allowOrigin)
                // An echo neither blocks nor computes.
                $0.runsOnEventLoop = true
                $0.drainTimeout = upgrade.closeTimeout
                $0.onListening = { addresses in
                    for case let (address?, port?) in addresses.map({ (IPAddress($0), $0.port) }) {
                        let shown = ListenAddress(address: address, port: port)
                        StandardError.print("culvert ws: listening on \(shown)")
                    }
                }
            }
        ) { socket in
            for try await message in socket { try await socket.send(message) }
        }
        let group = ServiceGroup(
            configuration: .init(
                services: [server], gracefulShutdownSignals: [.sigterm, .sigint],
                logger: Logger(label: "culvert.ws") { _ in SwiftLogNoOpLogHandler() }))
        try await group.run()
    }

    private func addresses() throws -> [SocketAddress] {
        try self.listen.map { text in
            guard let address = ListenAddress(addressAndPort: text) else {
                throw ValidationError(
                    "--listen: '\(printable(text.prefix(80)))' is no address and port; expected 127.0.0.1:8080 or [::1]:8080."
                )
            }
            return try address.socketAddress()
        }
    }
}

extension TLSOptions.Identity {
    fileprivate func serverConfiguration() throws -> TLSConfiguration {
        do {
            return .makeServerConfiguration(
                certificateChain: try NIOSSLCertificate.fromPEMFile(self.certificateChainFile)
                    .map { .certificate($0) },
                privateKey: .privateKey(try NIOSSLPrivateKey(file: self.privateKeyFile, format: .pem)))
        } catch {
            throw CommandFailure("--cert and --key: they cannot be read as PEM: \(error)", status: .usage)
        }
    }
}
