import CulvertWebSocket
import NIOCore

/// A WebSocket echo server on the public API: `swift run echo-server 8080`, then `culvert ws ws://127.0.0.1:8080/`.
/// `culvert ws --listen 127.0.0.1:8080 --echo` is the same with TLS and more options.
@main
enum EchoServer {
    static func main() async throws {
        let port = CommandLine.arguments.dropFirst().first.flatMap(Int.init) ?? 8080
        let server = WebSocketServer(
            try .init {
                $0.addresses = [try SocketAddress(ipAddress: "127.0.0.1", port: port)]
                $0.onListening = { print("listening on", $0) }
            }
        ) { socket in
            for try await message in socket { try await socket.send(message) }
        }
        try await server.run()
    }
}
