internal import HTTPTypes

/// Where a request in absolute form goes, and what it asks there (RFC 9112 §3.2.2).
package struct ForwardTarget: Sendable, Hashable {
    package let authority: Authority
    /// The request-target for the origin: path and query as they stood, or `*` for OPTIONS of the whole server.
    package let originForm: String

    /// - Returns: nil when the target has another form or scheme.
    /// - Throws: when it is an `http` URI that two parsers could read differently.
    init?(_ head: RequestHead) throws(MalformedRequest) {
        guard let behind = Self.withoutScheme(head.target) else { return nil }
        let bytes = behind.utf8
        if bytes.contains(UInt8(ascii: "#")) {
            throw MalformedRequest(.badRequest("a fragment in the request target"))
        }
        let end = bytes.firstIndex { $0 == UInt8(ascii: "/") || $0 == UInt8(ascii: "?") } ?? bytes.endIndex
        do {
            authority = try Authority(behind[..<end], defaultPort: 80)
        } catch {
            throw MalformedRequest(.badRequest(error.description))
        }
        let rest = behind[end...]
        if rest.isEmpty {
            // RFC 9112 §3.2.4: the last proxy makes the asterisk of an OPTIONS without path and query.
            originForm = head.method == .options ? "*" : "/"
        } else {
            originForm = bytes[end] == UInt8(ascii: "?") ? "/" + rest : String(rest)
        }
    }

    /// For a parent that forwards in turn.
    package var absoluteForm: String { "http://" + hostField + (originForm == "*" ? "" : originForm) }

    /// RFC 9110 §7.2: the authority of the target, its default port left out as browsers do.
    var hostField: String { authority.port == 80 ? authority.bracketedHost : authority.description }

    /// Whether the authority of an absolute form is this text, octet for octet.
    static func names(_ authority: String, in target: String) -> Bool {
        let behind = target.utf8.dropFirst("http://".utf8.count)
        guard target.utf8.starts(with: "http://".utf8), behind.starts(with: authority.utf8) else {
            return false
        }
        guard let next = behind.dropFirst(authority.utf8.count).first else { return true }
        return next == UInt8(ascii: "/") || next == UInt8(ascii: "?")
    }

    private static func withoutScheme(_ target: String) -> Substring? {
        let prefix = "http://"
        guard target.utf8.count >= prefix.utf8.count,
            zip(target.utf8, prefix.utf8).allSatisfy({ $0 | 0x20 == $1 | 0x20 })
        else { return nil }
        return target.dropFirst(prefix.utf8.count)
    }
}
