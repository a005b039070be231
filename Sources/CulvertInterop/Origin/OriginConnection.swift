internal import Foundation
internal import HTTPTypes
internal import HTTPWire
internal import NIOCore

/// One client's connection: request after request, until one of the two wants no more or it becomes a WebSocket.
struct OriginConnection {
    private let stream: DuplexStream
    private var reader: OriginReader

    static func serve(_ stream: DuplexStream) throws {
        var connection = OriginConnection(stream)
        do {
            while try connection.serveOne() {}
        } catch let error as WireError {
            try OriginAnswer.text(.init(code: Rejection(error).status), "\(error)\n")
                .write(to: stream, keepsConnection: false, toHead: false)
        }
    }

    private init(_ stream: DuplexStream) {
        self.stream = stream
        self.reader = OriginReader(stream)
    }

    /// Whether another request may follow.
    private mutating func serveOne() throws -> Bool {
        guard let request = try reader.head() else { return false }
        let framing = try BodyFraming.of(request: request)
        // RFC 9112 §3.2.
        guard request.fields[values: .host].count == 1 || request.minorVersion == 0 else {
            return try answer(request, .text(.badRequest, "one Host field\n"), keepsConnection: false)
        }
        let route = OriginRoute(request)
        if case .webSocket(let behavior) = route {
            try OriginWebSocket.serve(behavior, request, leftover: reader.leftover(), on: stream)
            return false
        }
        if case .sink = route { return try sink(request, framing) }
        // A body that nobody asked for is not read, so what follows it cannot be.
        return try answer(request, Self.answer(route, request), keepsConnection: framing == .none)
    }

    private static func answer(_ route: OriginRoute, _ request: RequestHead) throws -> OriginAnswer {
        switch route {
        case .hello: return .text(.ok, "hello\n")
        case .bytes(let count): return .pattern(count, isChunked: false)
        // HTTP/1.0 knows no chunks.
        case .chunked(let count): return .pattern(count, isChunked: request.minorVersion >= 1)
        case .status(let code): return .status(code)
        case .headers: return .text(.ok, try headers(of: request), type: "application/json")
        case .notAllowed(let methods):
            var answer = OriginAnswer.text(.methodNotAllowed, "not with \(request.method.rawValue)\n")
            answer.fields[.allow] = methods.map(\.rawValue).joined(separator: ", ")
            return answer
        case .notFound: return .text(.notFound, "no such path\n")
        case .sink, .webSocket: preconditionFailure("these are no plain answers")
        }
    }

    /// Lower-case names, each with its values in the order of their lines.
    private static func headers(of request: RequestHead) throws -> String {
        let fields = Dictionary(grouping: request.fields, by: { $0.name.canonicalName })
            .mapValues { $0.map(\.value) }
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return String(decoding: try encoder.encode(fields), as: UTF8.self) + "\n"
    }

    /// How long the body was, and its SHA-256.
    private mutating func sink(_ request: RequestHead, _ framing: BodyFraming) throws -> Bool {
        switch request.fields[values: .expect].map({ $0.lowercased() }) {
        case []: break
        case ["100-continue"]:
            // RFC 9110 §10.1.1: not to a client of HTTP/1.0.
            if request.minorVersion >= 1 {
                try stream.write(ByteBuffer(string: "HTTP/1.1 100 Continue\r\n\r\n"))
            }
        default:
            return try answer(
                request, .text(.expectationFailed, "only 100-continue\n"), keepsConnection: false)
        }
        var count = 0
        var hash = try SHA256()
        try reader.body(framing) { piece in
            count += piece.readableBytes
            try piece.withUnsafeReadableBytes { try hash.update($0) }
        }
        let digits = try hash.finish().map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }
            .joined()
        return try answer(request, .text(.ok, "\(count) \(digits)\n"), keepsConnection: true)
    }

    /// Writes it; whether another request may follow.
    private func answer(
        _ request: RequestHead, _ answer: OriginAnswer, keepsConnection: Bool
    ) throws -> Bool {
        let keeps = keepsConnection && request.keepsConnection
        try answer.write(to: stream, keepsConnection: keeps, toHead: request.method == .head)
        return keeps
    }
}
