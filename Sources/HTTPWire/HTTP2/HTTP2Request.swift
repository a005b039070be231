internal import HTTPTypes

/// A request's HTTP/2 field section as the HTTP/1.1 head that asks a proxy for the same (RFC 9113 §8.3.1, §8.5).
///
/// What could be read two ways once it stands on lines is malformed. The rest is judged where every HTTP/1 head is.
struct HTTP2Request: Sendable, Hashable {
    let head: RequestHead
    /// Where its body ends, as the head says it.
    let framing: BodyFraming

    /// - Parameter isEnd: no body follows.
    init(_ section: [HTTP2Field], isEnd: Bool) throws(WireError) {
        var fields = HTTP2RequestFields()
        for field in section { try fields.take(field) }
        let method = try fields.method()
        let authority = try fields.authority()
        let target = method == .connect ? authority : try fields.absoluteTarget(authority)
        var all = fields.all
        all[.host] = authority
        // A stream carries one request: what comes behind it is nobody's.
        all[.connection] = "close"
        if !isEnd, method != .connect, !all.contains(.contentLength) { all[.transferEncoding] = "chunked" }
        let head = RequestHead(method: method, target: target, fields: all)
        let framing = try BodyFraming.of(request: head)
        if isEnd, framing != .none { throw WireError(.conflictingFraming, "a length, and no body") }
        self.head = head
        self.framing = framing
    }
}

/// The fields of a section as they come.
private struct HTTP2RequestFields {
    private static let pseudoNames: Set<String> = [":method", ":scheme", ":authority", ":path"]

    private var pseudo: [String: String] = [:]
    private var host: String?
    private var regular = HTTPFields()
    private var cookies: [String] = []
    private var hasRegular = false

    mutating func take(_ field: HTTP2Field) throws(WireError) {
        if field.name.utf8.first == ASCII.colon {
            guard !self.hasRegular, Self.pseudoNames.contains(field.name),
                self.pseudo.updateValue(field.value, forKey: field.name) == nil
            else {
                throw WireError(.malformedField, "a pseudo-header field that is unknown, late or repeated")
            }
            return
        }
        self.hasRegular = true
        let parsed = try field.parsed()
        switch field.name {
        case "host":
            guard self.host == nil else { throw WireError(.malformedField, "more than one host field") }
            self.host = field.value
        case "te":
            // About this connection only; HTTP/1 would have to name it in Connection.
            guard field.value == "trailers" else { throw WireError(.malformedField, "te is not trailers") }
        case "cookie":
            // RFC 9113 §8.2.3: several are crumbs of one.
            self.cookies.append(field.value)
        default:
            self.regular.append(parsed)
        }
    }

    /// What stands below the request line.
    var all: HTTPFields {
        guard !self.cookies.isEmpty else { return self.regular }
        return self.regular + [HTTPField(name: .cookie, value: self.cookies.joined(separator: "; "))]
    }

    func method() throws(WireError) -> HTTPRequest.Method {
        guard let text = self.pseudo[":method"], text.utf8.allSatisfy(ASCII.isTokenCharacter),
            let method = HTTPRequest.Method(text)
        else { throw WireError(.malformedStartLine, "no method, or one that is no token") }
        return method
    }

    /// `:authority`; where there is none, `host` says the same. Two that differ are malformed.
    func authority() throws(WireError) -> String {
        let authority = self.pseudo[":authority"]
        if let authority, let host, authority.lowercased() != host.lowercased() {
            throw WireError(.malformedField, "host and :authority differ")
        }
        guard let text = authority ?? self.host, !text.isEmpty, Self.isTarget(text) else {
            throw WireError(.malformedStartLine, "no authority, or one with a blank or control character")
        }
        return text
    }

    func absoluteTarget(_ authority: String) throws(WireError) -> String {
        guard let scheme = self.pseudo[":scheme"], !scheme.isEmpty, scheme.utf8.allSatisfy(ASCII.isLetter)
        else { throw WireError(.malformedStartLine, "no scheme, or one that is no name") }
        guard let path = self.pseudo[":path"], Self.isTarget(path), path.hasPrefix("/") || path == "*" else {
            throw WireError(.malformedStartLine, "no path, or one that does not begin with a slash")
        }
        // RFC 9112 §3.2.4: the whole server, in absolute form.
        return "\(scheme)://\(authority)" + (path == "*" ? "" : path)
    }

    private static func isTarget(_ text: String) -> Bool { text.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7f } }
}

extension HTTP2Field {
    /// As a field of HTTP/1, for heads and trailers alike.
    func parsed() throws(WireError) -> HTTPField {
        let name = self.name.utf8
        guard !name.isEmpty, name.allSatisfy({ ASCII.isTokenCharacter($0) && !(0x41...0x5a).contains($0) }),
            !Self.ofConnections.contains(self.name), let parsed = HTTPField.Name(self.name)
        else { throw WireError(.malformedField, "a field name that HTTP/2 does not allow") }
        let value = self.value.utf8
        guard value.allSatisfy(ASCII.isFieldCharacter), value.first.map(ASCII.isBlank) != true,
            value.last.map(ASCII.isBlank) != true
        else { throw WireError(.malformedField, "the value of \(self.name) has a control character") }
        return HTTPField(name: parsed, value: self.value)
    }
}
