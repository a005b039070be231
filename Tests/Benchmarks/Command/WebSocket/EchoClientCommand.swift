import ArgumentParser
import CulvertWebSocket
import NIOCore
import Synchronization

struct EchoClientCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "echo-client",
        abstract: "Puts a load on a WebSocket echo server, with WebSocketClient.",
        discussion: """
            Each connection sends a message, waits for its echo, and sends the next. Prints `start` once all are open \
            and warm, and `stop ROUNDS SECONDS` at the end: who measures the process reads its clock there.
            """)

    @Argument(help: "A ws or wss URL.")
    var url: String

    @Option(help: ArgumentHelp("How many connections.", valueName: "count"))
    var connections = 32

    @Option(help: ArgumentHelp("The size of a message.", valueName: "bytes"))
    var bytes = 32

    @Option(help: ArgumentHelp("How long to measure.", valueName: "seconds"))
    var seconds = 3.0

    @Option(help: ArgumentHelp("PEM file with the authorities to trust.", valueName: "file"))
    var ca: String?

    @Flag(help: "Run each connection's task on its event loop.")
    var onEventLoop = false

    @Flag(help: "Only hold the connections: one message each.")
    var idle = false

    mutating func validate() throws {
        guard self.connections > 0, self.bytes >= 0, self.seconds > 0 else {
            throw ValidationError("--connections and --seconds are more than 0, --bytes is not less.")
        }
    }

    func run() async throws {
        let load = EchoLoad(self)
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<self.connections { group.addTask { try await load.talk() } }
            group.addTask { try await load.measure() }
            try await group.waitForAll()
        }
    }
}

/// What the connections of one load share.
private final class EchoLoad: Sendable {
    private let command: EchoClientCommand
    private let client: WebSocketClient
    private let message: WebSocketMessage
    private let opened = Atomic<Int>(0)
    private let rounds = Atomic<Int>(0)
    private let isOver = Atomic<Bool>(false)

    init(_ command: EchoClientCommand) {
        self.command = command
        self.message = .binary(ByteBuffer(repeating: UInt8(ascii: "x"), count: command.bytes))
        self.client = WebSocketClient(
            configuration: .init {
                $0.proxy = .none
                $0.openTimeout = .seconds(120)
                $0.runsOnEventLoop = command.onEventLoop
                if let ca = command.ca { $0.tls.trustRoots = .file(ca) }
            })
    }

    func talk() async throws {
        try await self.client.withConnection(to: self.command.url) { socket in
            try await self.round(socket)
            self.opened.add(1, ordering: .relaxed)
            while self.command.idle, !self.isOver.load(ordering: .relaxed) {
                try await Task.sleep(for: .milliseconds(200))
            }
            while !self.isOver.load(ordering: .relaxed) { try await self.round(socket) }
        }
    }

    private func round(_ socket: WebSocket) async throws {
        try await socket.send(self.message)
        guard try await socket.receive() == self.message else {
            throw LoadError("the echo is not what was sent")
        }
        self.rounds.add(1, ordering: .relaxed)
    }

    func measure() async throws {
        defer { self.isOver.store(true, ordering: .relaxed) }
        while self.opened.load(ordering: .relaxed) < self.command.connections {
            try await Task.sleep(for: .milliseconds(20))
        }
        try await Task.sleep(for: .milliseconds(500))
        let before = self.rounds.load(ordering: .relaxed)
        let began = ContinuousClock.now
        printNow("start")
        try await Task.sleep(for: .seconds(self.command.seconds))
        let rounds = self.rounds.load(ordering: .relaxed) - before
        printNow("stop \(rounds) \((ContinuousClock.now - began) / .seconds(1))")
    }
}
