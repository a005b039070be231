import ArgumentParser
import CulvertWebSocket

/// The client's side of the Autobahn TestSuite's fuzzing server: echoes in every case, then asks for the report.
@main
struct AutobahnClient: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "autobahn-client", abstract: "Runs the cases of Autobahn fuzzing servers.")

    @Argument(help: "URL of a fuzzing server. Several run beside each other.")
    var server: [String]

    @Option(help: "The name in the report.")
    var agent = "culvert"

    @Option(help: "URL of a proxy to go through.")
    var proxy: String?

    @Option(help: "PEM file with the authorities to trust.")
    var ca: String?

    func run() async throws {
        let client = WebSocketClient(
            configuration: try .init {
                $0.proxy = try self.proxy.map { .hops([try ProxyHop($0)]) } ?? .none
                $0.compression = .deflate(.init { $0.threshold = 0 })
                $0.tls.trustRoots = self.ca.map(TLSOptions.TrustRoots.file) ?? .system
            })
        try await withThrowingTaskGroup(of: Void.self) { group in
            for server in self.server { group.addTask { try await self.runCases(of: server, client) } }
            try await group.waitForAll()
        }
    }

    private func runCases(of server: String, _ client: WebSocketClient) async throws {
        let answer = try await client.withConnection(to: "\(server)/getCaseCount") { try await $0.receive() }
        guard case .text(let text) = answer, let count = Int(text), count > 0 else {
            throw ValidationError("\(server) does not say how many cases it has.")
        }
        for number in 1...count {
            // How a case ends is for the fuzzing server to judge.
            try? await client.withConnection(
                to: "\(server)/runCase?case=\(number)&agent=\(self.agent)", self.echo)
        }
        try await client.withConnection(to: "\(server)/updateReports?agent=\(self.agent)") {
            _ = try await $0.receive()
        }
    }

    private func echo(_ socket: WebSocket) async throws {
        for try await message in socket { try await socket.send(message) }
    }
}
