import NIOCore
import TestSupport

@testable import CulvertInterop

/// A small HTTP server for libcurl's tests. A CONNECT it grants, and goes on as the target itself; with a user it wants
/// his credentials first.
struct CurlHTTPServer: Sendable {
    /// `Basic …` that a CONNECT must carry.
    var authorization: String?
    /// The answer to every CONNECT, where it is not yes.
    var connectRefusal: String?

    @Sendable
    func serve(_ connection: TCPConnection) async throws {
        while true {
            let head = try await connection.readHead()
            guard let line = head.split(separator: "\r\n").first else { return }
            let words = line.split(separator: " ")
            guard words.count == 3 else { throw Unexpected(what: "\(line)") }
            if words[0] == "CONNECT" {
                _ = try await self.connect(head, connection)
            } else if head.lowercased().contains("upgrade: websocket") {
                throw Unexpected(what: "an upgrade")
            } else {
                try await self.answer(String(words[1]), head, connection)
            }
        }
    }

    /// Answers a CONNECT; whether it was granted.
    func connect(_ head: String, _ connection: TCPConnection) async throws -> Bool {
        if let connectRefusal {
            try await connection.write("HTTP/1.1 \(connectRefusal)\r\nContent-Length: 0\r\n\r\n")
            return false
        }
        if let authorization, !head.contains("Proxy-Authorization: \(authorization)\r\n") {
            try await connection.write(
                "HTTP/1.1 407 Who\r\nProxy-Authenticate: Basic realm=\"x\"\r\nContent-Length: 4\r\n\r\nwho?")
            return false
        }
        try await connection.write("HTTP/1.1 200 OK\r\n\r\n")
        return true
    }

    private func answer(_ path: String, _ head: String, _ connection: TCPConnection) async throws {
        // In absolute form, as a proxy is asked, scheme and host come first.
        let parts = path.split(separator: "/").drop { $0 == "http:" || $0.hasSuffix(".invalid") }
        switch parts.first {
        case "hello": try await self.send("hello\n", connection)
        case "bytes":
            let count = Int(parts.last ?? "") ?? 0
            try await connection.write("HTTP/1.1 200 OK\r\nContent-Length: \(count)\r\n\r\n")
            try await connection.write(Self.pattern(count))
        case "wrong":
            var bytes = Self.pattern(1000)
            bytes.setInteger(UInt8(0), at: 700)
            try await connection.write("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
            try await connection.write(bytes)
        case "sink":
            let length = head.split(separator: "\r\n").first { $0.lowercased().hasPrefix("content-length:") }
            let count = Int(length?.dropFirst(15).drop { $0 == " " } ?? "") ?? 0
            let body = try await connection.read(count: count)
            let isRight = body == Self.pattern(count)
            try await self.send(
                "\(count) \(isRight ? PatternDigest.sha256(ofBytes: count) ?? "" : "wrong")\n", connection)
        case "silent": _ = try await connection.readToEnd()
        case "cut":
            try await connection.write("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf")
            throw Unexpected(what: "the end")
        default:
            try await connection.write("HTTP/1.1 404 No\r\nContent-Length: 2\r\n\r\nno")
        }
    }

    private func send(_ text: String, _ connection: TCPConnection) async throws {
        try await connection.write("HTTP/1.1 200 OK\r\nContent-Length: \(text.utf8.count)\r\n\r\n\(text)")
    }

    static func pattern(_ count: Int) -> ByteBuffer {
        ByteBuffer(bytes: (0..<count).map { UInt8(truncatingIfNeeded: $0 * 7 + $0 / 251) })
    }
}
