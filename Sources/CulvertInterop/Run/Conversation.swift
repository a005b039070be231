import NIOCore
import WebSocketWire

/// Echoes over an open socket, in the server's profile.
struct Conversation {
    let socket: any InteropSocket
    let profile: EchoProfile

    /// How many messages may come ahead of an echo: a public server may greet, or a chat may go on.
    private let maxStrayMessages: Int
    /// Heartbeats and the like ahead of one echo. 16: an echo takes far less time than as many of them.
    private static let maxHousekeeping = 16

    /// Exchanges what the profile wants before the first echo.
    init(_ socket: any InteropSocket, _ profile: EchoProfile, maxStrayMessages: Int = 0) async throws {
        self.socket = socket
        self.profile = profile
        self.maxStrayMessages = maxStrayMessages
        for step in profile.greeting {
            switch step {
            case .send(let text): try await socket.send(.text(text))
            case .await(let text):
                let received = try await self.receiveText()
                guard profile.matches(received, text) else {
                    throw InteropFailure(.mismatch, "expected \(text), got \(received.prefix(60))")
                }
            }
        }
    }

    func expectEcho(ofText text: String) async throws {
        try await self.socket.send(.text(self.profile.encode(text)))
        try await self.receiveEcho(ofText: text)
    }

    func expectEcho(ofFragments pieces: [String]) async throws {
        let text = pieces.joined()
        // What is cut is what goes over the wire: the cuts fall anywhere in it.
        let encoded = self.profile.encode(text)
        let first = encoded.index(encoded.startIndex, offsetBy: encoded.count / 3)
        let second = encoded.index(encoded.startIndex, offsetBy: encoded.count / 3 * 2)
        try await self.socket.send(fragments: [
            String(encoded[..<first]), String(encoded[first..<second]), String(encoded[second...]),
        ])
        try await self.receiveEcho(ofText: text)
    }

    func expectEcho(ofBytes bytes: ByteBuffer) async throws {
        try await self.socket.send(.binary(bytes))
        var stray = 0
        while true {
            switch try await self.receive() {
            case .binary(bytes): return
            case .binary(let received) where stray == self.maxStrayMessages:
                throw InteropFailure(.mismatch, Self.difference(received, bytes))
            case .text where stray == self.maxStrayMessages:
                throw InteropFailure(.mismatch, "a binary message came back as text")
            case .binary, .text: stray += 1
            }
        }
    }

    private func receiveEcho(ofText text: String) async throws {
        var stray = 0
        var housekeeping = 0
        while housekeeping < Self.maxHousekeeping {
            switch self.profile.decode(try await self.receiveText()) {
            case .text(text): return
            case .text(let other):
                guard stray < self.maxStrayMessages else {
                    let difference = Self.difference(ByteBuffer(string: other), ByteBuffer(string: text))
                    throw InteropFailure(.mismatch, difference)
                }
                stray += 1
            case .housekeeping(let answer):
                housekeeping += 1
                if let answer { try await self.socket.send(.text(answer)) }
            case .refusal(let reason): throw InteropFailure(.mismatch, reason)
            }
        }
        throw InteropFailure(.mismatch, "heartbeats came back, and no echo")
    }

    private func receiveText() async throws -> String {
        switch try await self.receive() {
        case .text(let text): return text
        case .binary(let bytes):
            throw InteropFailure(.mismatch, "expected text, got \(bytes.readableBytes) binary bytes")
        }
    }

    private func receive() async throws -> WebSocketMessage {
        guard let message = try await self.socket.receive() else {
            throw InteropFailure(.connectionLost, "the server closed before the echo came")
        }
        return message
    }

    static func difference(_ actual: ByteBuffer, _ expected: ByteBuffer) -> String {
        let position = zip(actual.readableBytesView, expected.readableBytesView).enumerated()
            .first { $0.element.0 != $0.element.1 }?.offset
        let sizes = "\(actual.readableBytes) bytes came back of \(expected.readableBytes)"
        return position.map { "\(sizes); they first differ at \($0)" }
            ?? "\(sizes); they agree as far as both go"
    }
}
