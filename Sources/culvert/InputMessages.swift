import Foundation
import NIOCore

/// Standard input as messages: lines, or what one read brings. A message that could not be sent is there again for
/// the next connection.
actor InputMessages {
    private let input: StandardInput
    private let isBinary: Bool
    private let maxLineBytes: Int
    private var waiting = ByteBuffer()
    private var unsent: ByteBuffer?

    init(_ input: StandardInput, isBinary: Bool, maxLineBytes: Int) {
        self.input = input
        self.isBinary = isBinary
        self.maxLineBytes = maxLineBytes
    }

    /// The next message, the same until it is ``sent()``; nil at the end.
    func next() async throws -> ByteBuffer? {
        if self.unsent == nil {
            self.unsent = self.isBinary ? try await self.input.read() : try await self.readLine()
        }
        return self.unsent
    }

    func sent() {
        self.unsent = nil
    }

    private func readLine() async throws -> ByteBuffer? {
        // Only new bytes can hold the end of the line.
        var scanned = 0
        while true {
            if let line = try self.takeLine(from: scanned) { return line }
            try self.checkLength(self.waiting.readableBytes)
            scanned = self.waiting.readableBytes
            guard let chunk = try await self.input.read() else { break }
            self.waiting.discardReadBytes()
            self.waiting.writeImmutableBuffer(chunk)
        }
        defer { self.waiting = ByteBuffer() }
        return self.waiting.readableBytes > 0 ? self.waiting : nil
    }

    private func takeLine(from scanned: Int) throws -> ByteBuffer? {
        let bytes = self.waiting.readableBytesView
        guard let newline = bytes.dropFirst(scanned).firstIndex(of: UInt8(ascii: "\n")) else { return nil }
        let line = self.waiting.readSlice(length: newline - bytes.startIndex)
        self.waiting.moveReaderIndex(forwardBy: 1)
        try self.checkLength(line?.readableBytes ?? 0)
        return line
    }

    private func checkLength(_ count: Int) throws {
        guard count <= self.maxLineBytes else {
            let limit = self.maxLineBytes
            throw CommandFailure(
                "a line of more than \(limit) bytes; raise --max-message-bytes or use --binary",
                status: .badInput)
        }
    }
}
