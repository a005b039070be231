/// libcurl's own WebSocket: `curl_ws_send` and `curl_ws_recv`, where the libcurl that runs has them.
package struct LibcurlWebSocketClient: InteropClient {
    private let library = CurlLibrary.current

    package init() {}

    package var name: String { "libcurl ws" }
    package let isOracle = true
    package var version: String { self.library.version }

    /// Why this client is not there at all; nil when it is.
    package static var absence: String? {
        CurlWebSocketFunctions.current == nil
            ? "libcurl \(CurlLibrary.current.version) has no WebSocket" : nil
    }

    package func lack(of feature: ClientFeature) -> String? {
        if let absence = Self.absence { return absence }
        if feature == .compression { return "libcurl's WebSocket has no extensions" }
        return LibcurlOptions.lack(of: feature, self.library)
    }

    package func withSocket(
        _ request: SocketRequest, _ body: @Sendable (any InteropSocket) async throws -> Void
    ) async throws {
        guard let functions = CurlWebSocketFunctions.current else {
            throw InteropFailure(.other, Self.absence ?? "no WebSocket")
        }
        var options = try LibcurlOptions.options(request, self.library)
        if !request.subprotocols.isEmpty {
            let names = request.subprotocols.joined(separator: ", ")
            options.append(.headers(["Sec-WebSocket-Protocol: \(names)"]))
        }
        let easy = try CurlEasy([.url(request.url), .connectWebSocket] + options)
        let connection = try LibcurlWebSocketConnection(
            easy, functions, maxMessageBytes: request.maxMessageBytes)
        try await CurlSocket.with(connection, openTimeout: request.openTimeout, body)
    }
}
