internal import HTTPTypes
internal import HTTPWire

/// What a request to the origin asks for.
enum OriginRoute: Hashable {
    case hello
    case bytes(Int)
    case chunked(Int)
    case sink
    case status(Int)
    case headers
    case webSocket(OriginWebSocket.Behavior)
    case notFound
    /// The path is known, the method is not for it; these are.
    case notAllowed([HTTPRequest.Method])

    /// 64 MiB.
    static let maxBytes = 64 << 20

    init(_ request: RequestHead) {
        let segments = Self.path(request.target).split(separator: "/", omittingEmptySubsequences: false)
            .dropFirst()
        let route = Self.resource(Array(segments))
        let methods: [HTTPRequest.Method] =
            switch route {
            case .sink: [.post, .put]
            case .hello, .bytes, .chunked, .headers: [.get, .head]
            // Any method gets its status; the handshake refuses what is not GET by itself.
            case .status, .webSocket, .notFound, .notAllowed: [request.method]
            }
        self = methods.contains(request.method) ? route : .notAllowed(methods)
    }

    private static func resource(_ segments: [Substring]) -> OriginRoute {
        switch segments.first {
        case "hello" where segments.count == 1: return .hello
        case "sink" where segments.count == 1: return .sink
        case "headers" where segments.count == 1: return .headers
        case "echo" where segments.count == 1: return .webSocket(.echo)
        case "close-4000" where segments.count == 1: return .webSocket(.close4000)
        case "silent" where segments.count == 1: return .webSocket(.silent)
        default: break
        }
        guard segments.count == 2, let number = Int(segments[1]) else { return .notFound }
        switch segments[0] {
        case "bytes" where (0...maxBytes).contains(number): return .bytes(number)
        case "chunked" where (0...maxBytes).contains(number): return .chunked(number)
        case "status" where (200...599).contains(number): return .status(number)
        default: return .notFound
        }
    }

    /// Without scheme and authority, which an origin takes too (RFC 9112 §3.2.2), and without the query.
    private static func path(_ target: String) -> Substring {
        var rest = target[...]
        if let scheme = ["http://", "https://"].first(where: { target.lowercased().hasPrefix($0) }) {
            rest = rest.dropFirst(scheme.count).drop { $0 != "/" && $0 != "?" }
        }
        return rest.prefix { $0 != "?" }
    }
}
