import NIOCore
import WebSocketWire

/// Runs one check on one connection of one client.
struct Check {
    let recipe: CheckRecipe
    let server: EchoServer

    /// - Throws: `InteropFailure` when the check fails.
    func run(_ client: any InteropClient, _ request: SocketRequest) async throws {
        var request = request
        switch self.recipe.action {
        case .subprotocol(let offered, _): request.subprotocols = offered
        case .compression: request.offersCompression = true
        case .echo, .fragments, .ping, .close, .refuse: break
        }
        try await client.withSocket(request) { socket in
            try await self.use(socket)
        }
    }

    /// What the client has to be able to do.
    var feature: ClientFeature? {
        switch self.recipe.action {
        case .fragments: .fragments
        case .ping: .ping
        case .compression: .compression
        case .close: .closeCode
        case .echo, .subprotocol, .refuse: nil
        }
    }

    private func use(_ socket: any InteropSocket) async throws {
        switch self.recipe.action {
        case .echo(let kind, let count):
            let conversation = try await self.conversation(socket)
            if kind == .text || (kind == nil && self.server.lack(of: "binary") != nil) {
                try await conversation.expectEcho(ofText: Payload.text(bytes: count))
            } else {
                try await conversation.expectEcho(ofBytes: Payload.binary(bytes: count))
            }
        case .fragments:
            let conversation = try await self.conversation(socket)
            try await conversation.expectEcho(ofFragments: [Payload.text(bytes: 3000)])
        case .ping:
            try await socket.ping()
        case .compression(let count):
            guard socket.isCompressed else {
                throw InteropFailure(.mismatch, "permessage-deflate was offered, and not agreed on")
            }
            let conversation = try await self.conversation(socket)
            try await conversation.expectEcho(ofText: Payload.text(bytes: count))
            // Once more: what the context took over from the first must fit.
            try await conversation.expectEcho(ofText: Payload.text(bytes: count))
        case .close(let code):
            try await self.close(socket, WebSocketCloseCode(rawValue: code))
        case .subprotocol(_, let chosen):
            guard socket.subprotocol == chosen else {
                throw InteropFailure(
                    .mismatch, "the server chose \(socket.subprotocol ?? "no subprotocol"), not \(chosen)")
            }
            let conversation = try await self.conversation(socket)
            try await conversation.expectEcho(ofText: Payload.text(bytes: 20))
        case .refuse:
            throw InteropFailure(.mismatch, "the connection came about, although it must not")
        }
    }

    private func close(_ socket: any InteropSocket, _ code: WebSocketCloseCode) async throws {
        let conversation = try await self.conversation(socket)
        try await conversation.expectEcho(ofText: "before the close")
        let answer = try await socket.close(code, reason: "done")
        guard answer.code == code else {
            throw InteropFailure(
                .mismatch, "closed with \(code), the server's close frame says \(answer.code)")
        }
    }

    private func conversation(_ socket: any InteropSocket) async throws -> Conversation {
        try await Conversation(
            socket, self.server.profile, maxStrayMessages: self.server.maxStrayMessages)
    }
}
