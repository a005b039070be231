import CulvertWebSocket
import Foundation
import HTTPWire
import NIOCore
import Synchronization
import UnixSignals

/// Carries standard input to a WebSocket and its messages to standard output, until the connection is closed.
struct WebSocketSession: Sendable {
    let input: InputMessages
    let output: StandardOutput
    let isBinary: Bool
    let isInteractive: Bool
    /// Writes what comes of a message without waiting for its end.
    let isStreaming: Bool
    /// At the end of input: how long without a message before the connection is closed.
    let quietTime: Duration?
    private let lastMessage = LastMessage()

    init(
        input: InputMessages,
        output: StandardOutput,
        isBinary: Bool,
        isInteractive: Bool,
        isStreaming: Bool,
        quietTime: Duration?
    ) {
        self.input = input
        self.output = output
        self.isBinary = isBinary
        self.isInteractive = isInteractive
        self.isStreaming = isStreaming
        self.quietTime = quietTime
    }

    /// When a message came last.
    private final class LastMessage: Sendable {
        private let instant = Mutex(ContinuousClock.now)

        var age: Duration { self.instant.withLock { $0.duration(to: .now) } }

        func came() { self.instant.withLock { $0 = .now } }
    }

    enum Event: Sendable {
        case inputEnded
        case interrupted
        case closed
        /// The receiving task knows how the connection ended, and reports it.
        case sendingFailed
    }

    func run(_ socket: WebSocket) async throws {
        if self.isInteractive { self.greet(socket) }
        do {
            try await withThrowingTaskGroup(of: Event.self) { group in
                group.addTask {
                    if self.isStreaming {
                        try await self.receiveFragments(socket)
                    } else {
                        try await self.receive(socket)
                    }
                    return .closed
                }
                group.addTask { try await self.send(socket) }
                group.addTask { await Self.signal() }
                defer { group.cancelAll() }
                while let event = try await group.next() {
                    switch event {
                    case .inputEnded: try await socket.close(.normalClosure)
                    case .interrupted: throw CommandFailure("interrupted", status: .interrupted)
                    case .closed: return
                    case .sendingFailed: break
                    }
                }
            }
        } catch {
            self.reportClose(socket)
            throw error
        }
        self.reportClose(socket)
    }

    private func greet(_ socket: WebSocket) {
        let protocolNote = socket.subprotocol.map { ", subprotocol \($0)" } ?? ""
        let compressionNote = socket.compression == nil ? "" : ", compressed"
        StandardError.print("connected (\(socket.route)\(protocolNote)\(compressionNote)); Ctrl-D closes")
    }

    private func reportClose(_ socket: WebSocket) {
        guard let close = socket.closeStatus else { return }
        StandardError.print("closed: \(printable("\(close)"))")
    }

    static func signal() async -> Event {
        for await _ in await UnixSignalsSequence(trapping: .sigint, .sigterm) {
            // The close handshake may wait for the server, or a write for a reader that is stuck: a second signal
            // waits for nothing.
            Task.detached {
                for await _ in await UnixSignalsSequence(trapping: .sigint, .sigterm) {
                    exit(CommandStatus.interrupted.rawValue)
                }
            }
            return .interrupted
        }
        // Cancelled: the session is over.
        return .sendingFailed
    }

    // MARK: Receiving

    private func receive(_ socket: WebSocket) async throws {
        for try await message in socket {
            self.lastMessage.came()
            try await self.output.write(self.rendered(message))
        }
    }

    private func receiveFragments(_ socket: WebSocket) async throws {
        for try await fragment in socket.fragments {
            self.lastMessage.came()
            try await self.output.write(fragment.bytes)
        }
    }

    private func rendered(_ message: WebSocketMessage) -> ByteBuffer {
        switch message {
        case .text(let text) where self.isBinary:
            return ByteBuffer(string: text)
        case .binary(let bytes) where self.isBinary:
            return bytes
        case .text(let text):
            return self.line(self.output.isTerminal ? printable(text) : text)
        case .binary(let bytes):
            return self.line("base64:" + Base64.encode(bytes.readableBytesView))
        }
    }

    private func line(_ text: String) -> ByteBuffer {
        // On a terminal: over the prompt, and the prompt again.
        ByteBuffer(string: self.isInteractive ? "\r\u{1B}[K< \(text)\n> " : text + "\n")
    }

    // MARK: Sending

    private func send(_ socket: WebSocket) async throws -> Event {
        do {
            try await self.sendMessages(socket)
            try await self.waitUntilQuiet()
            return .inputEnded
        } catch let error as WebSocketError {
            switch error {
            case .closed, .connectionLost, .keepaliveTimedOut, .protocolViolation: return .sendingFailed
            default: throw error
            }
        }
    }

    /// Servers answer a close frame at once, some before they have answered the messages ahead of it.
    private func waitUntilQuiet() async throws {
        guard let quietTime else { return }
        self.lastMessage.came()
        while self.lastMessage.age < quietTime { try await Task.sleep(for: quietTime - self.lastMessage.age) }
    }

    private func sendMessages(_ socket: WebSocket) async throws {
        if !self.isBinary { try await self.prompt() }
        while let bytes = try await self.input.next() {
            if self.isBinary {
                try await socket.send(bytes)
            } else {
                guard let text = String(validating: bytes.readableBytesView, as: UTF8.self) else {
                    throw CommandFailure("standard input is not UTF-8; use --binary", status: .badInput)
                }
                try await socket.send(text)
            }
            await self.input.sent()
            if !self.isBinary { try await self.prompt() }
        }
    }

    private func prompt() async throws {
        if self.isInteractive { try await self.output.write(ByteBuffer(string: "> ")) }
    }
}
