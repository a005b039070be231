internal import HTTPTypes

/// What a well-formed request asks of a proxy.
enum ServerRequest: Sendable, Hashable {
    case tunnel(Authority)
    case forward(ForwardRequest)
    /// A forwarded request that ends at this proxy.
    case answer(Rejection)
    /// Something this proxy does not do.
    case unsupported(Rejection)

    /// Sorts a request by the form of its target (RFC 9112 §3.2), or says what is malformed about it.
    ///
    /// - Parameter pseudonym: this proxy's name in `Via`.
    init(_ head: RequestHead, pseudonym: String, forwards: Bool) throws(MalformedRequest) {
        try Self.checkHost(head)
        let framing: BodyFraming
        do { framing = try BodyFraming.of(request: head) } catch { throw MalformedRequest(Rejection(error)) }
        // RFC 9110 §7.6.3: what came through here before would come again and again.
        if Via.names(pseudonym, in: head.fields) {
            self = head.method == .connect ? .unsupported(.loop) : .answer(.loop)
            return
        }
        guard head.method == .connect else {
            self = forwards ? try Self.forward(head, framing) : .unsupported(Self.unsupported(head))
            return
        }
        // CONNECT has no content (RFC 9110 §9.3.6); a framing would hide tunnel bytes from one of two peers.
        guard framing == .none else { throw MalformedRequest(.badRequest("CONNECT with a body")) }
        do {
            self = .tunnel(try Authority(head.target))
        } catch {
            throw MalformedRequest(.badRequest(error.description))
        }
    }

    /// The request-target decides; `Host` is only checked. Java and old Python send one without the port.
    private static func checkHost(_ head: RequestHead) throws(MalformedRequest) {
        var first: String?
        for field in head.fields where field.name == .host {
            if first != nil { throw MalformedRequest(.badRequest("more than one Host field")) }
            first = field.value
        }
        guard let host = first else {
            if head.minorVersion == 0 { return }
            throw MalformedRequest(.badRequest("HTTP/1.1 without a Host field"))
        }
        if host.isEmpty { return }  // RFC 9112 §3.2: right where the target has no authority.
        // What most clients send; the target is parsed anyway.
        if head.method == .connect ? host == head.target : ForwardTarget.names(host, in: head.target) {
            return
        }
        do {
            _ = try Authority(host, defaultPort: 80)
        } catch {
            throw MalformedRequest(.badRequest("the Host field is malformed: \(error.description)"))
        }
    }

    private static func forward(
        _ head: RequestHead, _ framing: BodyFraming
    ) throws(MalformedRequest) -> ServerRequest {
        guard let request = try ForwardRequest(head, framing: framing) else {
            return .unsupported(unsupported(head))
        }
        return request.isForThisProxy ? .answer(MaxForwards.answer(head)) : .forward(request)
    }

    private static func unsupported(_ head: RequestHead) -> Rejection {
        let scheme = head.target.utf8.prefix { $0 != ASCII.colon && $0 != UInt8(ascii: "/") }
        let behind = head.target.utf8.dropFirst(scheme.count)
        if !scheme.isEmpty, behind.starts(with: "://".utf8) {
            return Rejection(
                status: 501, reason: "a request that is not forwarded",
                text: "this proxy does not forward requests of this kind; use CONNECT")
        }
        return Rejection(
            status: 405, reason: "not a proxy request",
            text: "this is a proxy; it serves CONNECT and requests for http:// URLs",
            fields: [.allow: "CONNECT"])
    }
}

/// The answer to a request that two parsers could read differently.
struct MalformedRequest: Error, Hashable {
    let rejection: Rejection

    init(_ rejection: Rejection) { self.rejection = rejection }
}
