internal import HTTPTypes
internal import HTTPWire

extension ClientHandshake {
    /// The fields of the request: `Host` first (RFC 9110 §7.2), what the handshake needs, then the caller's.
    static func fields(
        _ url: WebSocketURL, _ custom: HTTPFields, _ key: HandshakeKey, _ subprotocols: [String],
        _ extensions: [String]
    ) -> HTTPFields {
        var fields = HTTPFields()
        fields.append(HTTPField(name: .host, value: custom[.host] ?? url.hostField))
        fields.append(HTTPField(name: .upgrade, value: "websocket"))
        fields.append(HTTPField(name: .connection, value: "Upgrade"))
        fields.append(HTTPField(name: .secWebSocketKey, value: key.text))
        fields.append(HTTPField(name: .secWebSocketVersion, value: "13"))
        if !subprotocols.isEmpty {
            fields.append(
                HTTPField(name: .secWebSocketProtocol, value: subprotocols.joined(separator: ", ")))
        }
        if !extensions.isEmpty {
            fields.append(
                HTTPField(name: .secWebSocketExtensions, value: extensions.joined(separator: ", ")))
        }
        if !custom.contains(.userAgent) {
            fields.append(HTTPField(name: .userAgent, value: "Culvert"))
        }
        if let userinfo = url.userinfo, !custom.contains(.authorization) {
            let credentials = Base64.encode(Array("\(userinfo.user):\(userinfo.password)".utf8))
            fields.append(HTTPField(name: .authorization, value: "Basic \(credentials)"))
        }
        for field in custom where field.name != .host {
            fields.append(field)
        }
        return fields
    }

    /// Fields of the handshake itself, those that would give the request a body, and those meant for a proxy, which
    /// an origin must not see.
    private static let reserved: Set<HTTPField.Name> = [
        .connection, .upgrade, .secWebSocketKey, .secWebSocketVersion, .secWebSocketAccept,
        .secWebSocketProtocol,
        .secWebSocketExtensions, .contentLength, .transferEncoding, .proxyAuthorization,
    ]

    static func check(_ fields: HTTPFields) throws(HandshakeRequestError) {
        for field in fields where reserved.contains(field.name) {
            throw .reservedField(field.name.rawName)
        }
        if fields[values: .host].count > 1 { throw .severalHosts }
    }

    static func check(subprotocols: [String]) throws(HandshakeRequestError) {
        var seen: Set<String> = []
        for name in subprotocols {
            guard FieldList.isToken(name) else { throw .invalidSubprotocol(name) }
            guard seen.insert(name).inserted else { throw .duplicateSubprotocol(name) }
        }
    }

    static func check(extensions: [String]) throws(HandshakeRequestError) {
        for text in extensions {
            guard FieldList.isToken(FieldList.name(ofExtension: text)),
                text.utf8.allSatisfy({ (0x20..<0x7F).contains($0) }),
                FieldList.split(text).count == 1
            else { throw .invalidExtension(text) }
        }
    }
}
