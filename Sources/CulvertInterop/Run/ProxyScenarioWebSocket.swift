import NIOCore
import WebSocketWire

/// The WebSocket requests of scenarios: text and binary echoed, a ping answered, a close repeated.
enum ProxyScenarioWebSocket {
    /// What is wrong with how it came out; nil when nothing is.
    static func deviation(
        of request: ProxyScenarioRequest, _ address: ProxyAddress, _ environment: ProxyScenarioEnvironment
    ) async throws -> InteropFailure? {
        guard let socketRequest = request.socketRequest(address, environment) else {
            return InteropFailure(.other, "no client goes through a \(request.options.scheme) proxy here")
        }
        let client: any InteropClient =
            request.webSocket == .libcurl ? LibcurlWebSocketClient() : LibcurlClient()
        do {
            try await client.withSocket(socketRequest) { try await Self.converse($0) }
        } catch let failure as InteropFailure {
            return request.expect.deviation(ofFailure: failure)
        }
        return request.expect.deviation(ofFailure: nil)
    }

    private static func converse(_ socket: any InteropSocket) async throws {
        var bytes = ByteBuffer()
        bytes.writeWithUnsafeMutableBytes(minimumWritableBytes: 65_536) { room in
            PatternBytes.copy(to: UnsafeMutableRawBufferPointer(rebasing: room.prefix(65_536)), at: 0)
            return 65_536
        }
        for message in [WebSocketMessage.text("grüße 🌍"), .binary(bytes), .text("")] {
            try await socket.send(message)
            guard try await socket.receive() == message else {
                throw InteropFailure(.mismatch, "\(message.byteCount) bytes came back changed")
            }
        }
        try await socket.ping()
        let close = try await socket.close(.normalClosure, reason: "done")
        guard close.code == .normalClosure else {
            throw InteropFailure(.mismatch, "the close frame came back as \(close)")
        }
    }
}
