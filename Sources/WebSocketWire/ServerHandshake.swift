package import HTTPTypes
package import HTTPWire
package import NIOCore

/// A request that asks for a WebSocket, checked; the server's side of the opening handshake (RFC 6455 §4.2).
///
/// Read the request with a strict `HeadParser`; bytes behind the head belong to the WebSocket.
package struct ServerHandshake: Sendable, Hashable {
    /// The request as it came.
    package let request: RequestHead
    /// What the client offers, in its order of preference.
    package let subprotocols: [String]
    /// The client's extension offers with their parameters, in its order of preference.
    package let extensions: [String]
    private let key: HandshakeKey

    /// Whether a request asks for a WebSocket at all, well or badly.
    package static func isAsked(for request: RequestHead) -> Bool {
        FieldList.contains("websocket", .upgrade, in: request.fields)
    }

    /// - Throws: `ServerHandshakeRefusal`, the answer to write instead.
    package init(_ request: RequestHead) throws(ServerHandshakeRefusal) {
        let fields = request.fields
        guard request.method == .get else {
            throw .init(.methodNotAllowed, "a WebSocket is opened with GET", [.allow: "GET"])
        }
        guard request.minorVersion >= 1 else {
            throw .init(.badRequest, "a WebSocket is opened with HTTP/1.1")
        }
        try Self.checkHost(fields)
        try Self.checkNoBody(request)
        guard Self.isAsked(for: request) else {
            throw .init(.upgradeRequired, "this resource is a WebSocket", [.upgrade: "websocket"])
        }
        guard FieldList.contains("upgrade", .connection, in: fields) else {
            throw .init(.badRequest, "Connection does not name \"upgrade\"")
        }
        let versions = FieldList.elements(.secWebSocketVersion, in: fields)
        guard versions == ["13"] else {
            throw .init(
                .upgradeRequired, "the version of WebSocket is 13",
                [.secWebSocketVersion: "13", .upgrade: "websocket"])
        }
        let keys = fields[values: .secWebSocketKey]
        guard keys.count == 1, let key = keys.first.flatMap(HandshakeKey.init(text:)) else {
            throw .init(.badRequest, "Sec-WebSocket-Key is not one Base64 text of 16 bytes")
        }
        self.request = request
        self.key = key
        self.subprotocols = FieldList.elements(.secWebSocketProtocol, in: fields)
        self.extensions = FieldList.elements(.secWebSocketExtensions, in: fields)
        guard subprotocols.allSatisfy(FieldList.isToken) else {
            throw .init(.badRequest, "a subprotocol is not a token")
        }
        guard extensions.allSatisfy({ FieldList.isToken(FieldList.name(ofExtension: $0)) }) else {
            throw .init(.badRequest, "an extension is malformed")
        }
    }

    /// The 101, and the subprotocol it names.
    ///
    /// - Parameters:
    ///   - extensions: the answers to offers, with their parameters.
    ///   - fields: added to the 101.
    ///   - choose: picks one of the client's subprotocols, or none; a name that was not offered counts as none.
    package func accept(
        extensions: [String] = [], fields: HTTPFields = [:],
        choosing choose: ([String]) -> String? = { _ in nil }
    ) -> (response: ByteBuffer, subprotocol: String?) {
        let (response, chosen) = answer(extensions: extensions, fields: fields, choosing: choose)
        var buffer = ByteBuffer()
        ResponseHead(response: response, minorVersion: 1).serialize(into: &buffer)
        return (buffer, chosen)
    }

    /// As ``accept(extensions:fields:choosing:)``, not yet serialised.
    package func answer(
        extensions: [String], fields: HTTPFields, choosing choose: ([String]) -> String?
    ) -> (response: HTTPResponse, subprotocol: String?) {
        let chosen =
            subprotocols.isEmpty ? nil : choose(subprotocols).flatMap { subprotocols.contains($0) ? $0 : nil }
        var response = HTTPResponse(status: .switchingProtocols)
        response.headerFields.append(HTTPField(name: .upgrade, value: "websocket"))
        response.headerFields.append(HTTPField(name: .connection, value: "Upgrade"))
        response.headerFields.append(HTTPField(name: .secWebSocketAccept, value: key.accept))
        if let chosen {
            response.headerFields.append(HTTPField(name: .secWebSocketProtocol, value: chosen))
        }
        if !extensions.isEmpty {
            let value = extensions.joined(separator: ", ")
            response.headerFields.append(HTTPField(name: .secWebSocketExtensions, value: value))
        }
        for field in fields { response.headerFields.append(field) }
        return (response, chosen)
    }

    /// Chooses the first of the client's offers of compression that can be accepted; nil when there is none. The
    /// machine takes it as its transform, and the text of its `parameters` belongs into the extensions of
    /// ``accept(extensions:fields:choosing:)``.
    package func deflate(for compression: WebSocketCompression) -> PerMessageDeflate? {
        guard case .deflate(let options) = compression, let agreed = options.accept(offers: extensions)
        else { return nil }
        return PerMessageDeflate(role: .server, agreed, options: options)
    }

    private static func checkHost(_ fields: HTTPFields) throws(ServerHandshakeRefusal) {
        let hosts = fields[values: .host]
        guard hosts.count == 1, let host = hosts.first else {
            throw .init(.badRequest, "a request has one Host field")
        }
        do throws(AuthorityError) {
            _ = try Authority(host, defaultPort: 80)
        } catch {
            throw ServerHandshakeRefusal(.badRequest, "Host is malformed")
        }
    }

    private static func checkNoBody(_ request: RequestHead) throws(ServerHandshakeRefusal) {
        do throws(WireError) {
            switch try BodyFraming.of(request: request) {
            case .none, .length(0): return
            case .length, .chunked, .untilClose: break
            }
        } catch {
            throw ServerHandshakeRefusal(.badRequest, "the framing of the request is malformed")
        }
        throw .init(.badRequest, "the request of a WebSocket has no body")
    }
}
