import CulvertInterop
import NIOCore
import Synchronization
import WebSocketWire

/// A client whose connections behave as told; there is no network.
struct FakeClient: InteropClient {
    enum Behaviour: Sendable {
        /// Sends back what is sent.
        case echo
        /// Changes a byte of it.
        case corrupt
        /// Closes instead.
        case close
        /// Says nothing, ever.
        case hang
        /// Cannot be opened.
        case refuse(InteropFailure)
    }

    var name = "fake"
    let version = "1"
    var isOracle = false
    var lacking: [ClientFeature: String] = [:]
    var behaviour = Behaviour.echo
    var subprotocol: String?
    var isCompressed = false
    var closeAnswer: WebSocketCloseCode?

    func lack(of feature: ClientFeature) -> String? { self.lacking[feature] }

    func withSocket(
        _ request: SocketRequest, _ body: @Sendable (any InteropSocket) async throws -> Void
    ) async throws {
        if case .refuse(let failure) = self.behaviour { throw failure }
        try await body(FakeSocket(client: self))
    }
}

final class FakeSocket: InteropSocket {
    private let client: FakeClient
    private let waiting = Mutex<[WebSocketMessage]>([])

    init(client: FakeClient) {
        self.client = client
    }

    var subprotocol: String? { self.client.subprotocol }
    var isCompressed: Bool { self.client.isCompressed }

    func send(_ message: WebSocketMessage) async throws {
        self.waiting.withLock { $0.append(message) }
    }

    func send(fragments: [String]) async throws {
        try await self.send(.text(fragments.joined()))
    }

    func receive() async throws -> WebSocketMessage? {
        switch self.client.behaviour {
        case .close: return nil
        case .hang: try await Task.sleep(for: .seconds(3600))
        case .echo, .corrupt, .refuse: break
        }
        let message = self.waiting.withLock { $0.isEmpty ? nil : $0.removeFirst() }
        guard case .corrupt = self.client.behaviour else { return message }
        switch message {
        case .text(let text): return .text("X" + text.dropFirst())
        case .binary(var bytes):
            bytes.setInteger(UInt8(0xFF), at: bytes.readableBytes / 2)
            return .binary(bytes)
        case nil: return nil
        }
    }

    func ping() async throws {
        if case .hang = self.client.behaviour { try await Task.sleep(for: .seconds(3600)) }
    }

    func close(_ code: WebSocketCloseCode, reason: String) async throws -> WebSocketClose {
        WebSocketClose(code: self.client.closeAnswer ?? code)
    }
}

/// A site without servers.
struct FakeSite: Site {
    let authority = "/ca.pem"
    var missing: String?

    func url(of server: EchoServer, _ transport: SectionRecipe.Transport) async throws -> String {
        if let missing { throw PeerMissing(missing) }
        return "\(transport)://localhost/"
    }

    func url(
        behind obstacle: CheckRecipe.Obstacle, _ transport: SectionRecipe.Transport
    ) async throws -> String {
        "\(transport)://localhost/\(obstacle)"
    }

    func proxies(of route: RouteRecipe) async throws -> [ProxyAddress] {
        route.hops.map { _ in
            ProxyAddress(.http, host: "localhost", port: 3128, user: "alice", password: "secret")
        }
    }
}
