import ArgumentParser
import CulvertWebSocket
import NIOCore
import NIOSSL

struct EchoServerCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "echo-server",
        abstract:
            "A WebSocket echo server on loopback, made of WebSocketServer, with TLS when it has a certificate."
    )

    @Argument(help: "The port; 0 is a free one.")
    var port: Int

    @Argument(help: "PEM file with the certificate.")
    var certificate: String?

    @Argument(help: "PEM file with the private key.")
    var key: String?

    @Flag(help: "Run each connection's task on its event loop.")
    var onEventLoop = false

    func run() async throws {
        let server = WebSocketServer(
            try .init {
                $0.addresses = [try SocketAddress(ipAddress: "127.0.0.1", port: self.port)]
                $0.tls = try self.tls()
                $0.runsOnEventLoop = self.onEventLoop
                $0.onListening = { addresses in
                    for address in addresses { printNow("listening on 127.0.0.1:\(address.port ?? 0)") }
                }
            }
        ) { socket in
            for try await message in socket { try await socket.send(message) }
        }
        try await server.run()
    }

    private func tls() throws -> TLSConfiguration? {
        guard let certificate, let key else { return nil }
        return .makeServerConfiguration(
            certificateChain: try NIOSSLCertificate.fromPEMFile(certificate).map { .certificate($0) },
            privateKey: .privateKey(try NIOSSLPrivateKey(file: key, format: .pem)))
    }
}
