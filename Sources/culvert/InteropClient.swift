import ArgumentParser
import CulvertInterop
import CulvertTunnel
import CulvertWebSocket
import HTTPTypes
import HTTPWire
import NIOCore
import ProxyAuth
import WebSocketWire

/// Our WebSocket client, as the harness drives it.
struct CulvertClient: InteropClient {
    let name = "culvert"
    let version = Culvert.configuration.version
    let isOracle = false

    func lack(of feature: ClientFeature) -> String? {
        switch feature {
        case .webSocket, .fragments, .compression, .ping, .closeCode, .chains, .digest, .socks: nil
        case .http2Proxy: "culvert speaks no HTTP/2 with a proxy"
        }
    }

    func withSocket(
        _ request: SocketRequest, _ body: @Sendable (any InteropSocket) async throws -> Void
    ) async throws {
        do {
            let client = WebSocketClient(configuration: try Self.configuration(request))
            try await client.withConnection(to: request.url) { try await body(CulvertSocket($0)) }
        } catch let error as WebSocketError {
            throw InteropFailure(error)
        }
    }

    private static func configuration(_ request: SocketRequest) throws -> WebSocketClient.Configuration {
        try .init {
            $0.proxy = request.proxies.isEmpty ? .none : .hops(try request.proxies.map(self.hop))
            $0.openTimeout = request.openTimeout
            $0.tls = TLSOptions { $0.trustRoots = request.authority.map { .file($0) } ?? .system }
            $0.proxyTLS = $0.tls
            $0.subprotocols = request.subprotocols
            $0.limits.maxMessageBytes = request.maxMessageBytes
            $0.limits.maxFrameBytes = request.maxMessageBytes
            if request.offersCompression { $0.compression = .deflate() }
        }
    }

    private static func hop(_ address: ProxyAddress) throws -> ProxyHop {
        let scheme: ProxyHop.Scheme
        switch address.scheme {
        case .http: scheme = .http
        case .https: scheme = .https
        case .socks5h: scheme = .socks5h
        case .http2:
            throw InteropFailure(.other, "culvert speaks no \(address.scheme.rawValue) with a proxy")
        }
        let credentials = address.user.map {
            ProxyCredentials(user: $0, password: Secret(address.password ?? ""))
        }
        return ProxyHop(
            scheme: scheme, authority: try Authority(host: address.host, port: address.port),
            credentials: credentials)
    }
}

/// An open WebSocket of ours.
private struct CulvertSocket: InteropSocket {
    private let socket: WebSocket

    init(_ socket: WebSocket) {
        self.socket = socket
    }

    var subprotocol: String? { self.socket.subprotocol }
    var isCompressed: Bool { self.socket.compression != nil }

    func send(_ message: WebSocketMessage) async throws {
        try await self.naming { try await self.socket.send(message) }
    }

    func send(fragments: [String]) async throws {
        try await self.naming {
            async let pong: Void = self.ping()
            try await self.socket.send(.text) { writer in
                for fragment in fragments { try await writer.write(fragment) }
            }
            try await pong
        }
    }

    func receive() async throws -> WebSocketMessage? {
        try await self.naming { try await self.socket.receive() }
    }

    func ping() async throws {
        try await self.naming { _ = try await self.socket.ping() }
    }

    func close(_ code: WebSocketCloseCode, reason: String) async throws -> WebSocketClose {
        try await self.naming {
            try await self.socket.close(code, reason: reason)
            // What is thrown at the end is the peer's code, and that is told below.
            while case .some = try? await self.socket.receive() {}
            return self.socket.closeStatus ?? WebSocketClose(code: .abnormalClosure)
        }
    }

    private func naming<Result>(_ body: () async throws -> Result) async throws -> Result {
        do {
            return try await body()
        } catch let error as WebSocketError {
            throw InteropFailure(error)
        }
    }
}

extension InteropFailure {
    init(_ error: WebSocketError) {
        let cause: Cause =
            switch error {
            case .tunnel(let tunnel): Cause(tunnel)
            case .upgradeRefused(let refusal): .upgradeRefused(status: refusal.response.status.code)
            case .upgradeFailed, .redirectRefused, .protocolViolation: .protocolViolation
            case .upgradeTimedOut, .keepaliveTimedOut: .timedOut
            case .closed, .connectionLost: .connectionLost
            case .invalidRequest, .unsendable: .other
            }
        self.init(cause, error.description)
    }
}

extension Cause {
    init(_ error: TunnelError) {
        let isTargetTLS = error.phase == .targetTLS
        self =
            switch error.code {
            case .nameNotResolved: .nameNotResolved
            case .connectionFailed: .connectFailed
            case .tlsFailed: isTargetTLS ? .tlsFailed : .proxyTLSFailed
            case .authenticationFailed: .proxyAuthentication
            case .refusedByProxy: .proxyRefused(status: error.refusal?.response.status.code)
            case .malformedProxyAnswer: .protocolViolation
            case .connectionClosed: .connectionLost
            case .timedOut: .timedOut
            case .invalidConfiguration, .forbidden, .cancelled: .other
            }
    }
}
