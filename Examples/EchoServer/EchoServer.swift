import ArgumentParser
import NIOCore
import NIOPosix
import NIOSSL

/// A small WebSocket echo server with TLS, for the quickstart: what comes goes back.
@main
struct EchoServer: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "echo-server",
        abstract: "A WebSocket echo server on loopback, with TLS when it has a certificate.")

    @Option(help: "The port; 0 is a free one.")
    var port = 0

    @Option(help: "PEM file with the certificate chain.")
    var cert: String?

    @Option(help: "PEM file with the private key.")
    var key: String?

    func run() async throws {
        let tls = try self.tlsContext()
        let listener = try await ServerBootstrap(group: .singletonMultiThreadedEventLoopGroup)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    if let tls {
                        try channel.pipeline.syncOperations.addHandler(NIOSSLServerHandler(context: tls))
                    }
                    try channel.pipeline.syncOperations.addHandler(EchoHandler())
                }
            }
            .bind(host: "127.0.0.1", port: self.port).get()
        print("echo-server: listening on 127.0.0.1:\(listener.localAddress?.port ?? 0)")
        try await listener.closeFuture.get()
    }

    private func tlsContext() throws -> NIOSSLContext? {
        guard let cert, let key else { return nil }
        return try NIOSSLContext(
            configuration: .makeServerConfiguration(
                certificateChain: NIOSSLCertificate.fromPEMFile(cert).map { .certificate($0) },
                privateKey: .privateKey(NIOSSLPrivateKey(file: key, format: .pem))))
    }
}
