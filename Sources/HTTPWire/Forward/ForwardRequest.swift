internal import HTTPTypes
internal import NIOCore

/// A request in absolute form, and what a proxy has to know to pass it on (RFC 9110 §7.6, RFC 9112 §3.2.2).
package struct ForwardRequest: Sendable, Hashable {
    package let head: RequestHead
    package let target: ForwardTarget
    /// Where the request's body ends.
    package let framing: BodyFraming
    /// Asks for `Upgrade: websocket`: the one upgrade that is passed on. Others (h2c first) would hide requests from
    /// the rules.
    package let wantsWebSocket: Bool
    private let options: ConnectionOptions
    private let maxForwards: UInt64?

    init?(_ head: RequestHead, framing: BodyFraming) throws(MalformedRequest) {
        guard let target = try ForwardTarget(head) else { return nil }
        // RFC 9110 §9.3.8.
        if head.method == .trace, framing != .none {
            throw MalformedRequest(.badRequest("TRACE with a body"))
        }
        self.head = head
        self.target = target
        self.framing = framing
        options = ConnectionOptions(head.fields)
        maxForwards = try MaxForwards.remaining(head)
        wantsWebSocket =
            head.method == .get && head.minorVersion >= 1 && framing == .none && options.contains("upgrade")
            && head.fields.contains(.upgrade, "websocket")
    }

    /// The request may go no further; the proxy answers it.
    var isForThisProxy: Bool { maxForwards == 0 }

    /// May be sent a second time when its connection broke before an answer (RFC 9110 §9.2.2), and is here to be sent.
    package var isRepeatable: Bool {
        switch head.method {
        case .get, .head, .options, .trace, .put, .delete: framing == .none && !wantsWebSocket
        default: false
        }
    }

    /// The client holds its body until it is told to go on. HTTP/1.0 knows no such thing.
    var expectsContinue: Bool {
        framing != .none && head.minorVersion >= 1 && head.fields.contains(.expect, "100-continue")
    }

    /// An authorization that stands for its whole connection from then on.
    package var bindsConnection: Bool {
        guard head.fields.contains(.authorization), let value = head.fields[.authorization] else {
            return false
        }
        return ConnectionBoundScheme.begins(value)
    }

    /// Appends the head as the next server gets it.
    ///
    /// - Parameter authorization: for a parent that forwards in turn, which gets the absolute form.
    func serialize(into buffer: inout ByteBuffer, to hop: ForwardHop, pseudonym: String) {
        let form = if case .origin = hop { target.originForm } else { target.absoluteForm }
        buffer.writeString(head.method.rawValue)
        buffer.writeStaticString(" ")
        buffer.writeString(form)
        buffer.writeStaticString(" HTTP/1.1\r\nHost: ")
        buffer.writeString(target.hostField)
        buffer.writeStaticString("\r\n")
        for field in head.fields where !isReplaced(field.name) { field.write(into: &buffer) }
        if let maxForwards, maxForwards > 0 { buffer.writeString("Max-Forwards: \(maxForwards - 1)\r\n") }
        Via.write(minorVersion: head.minorVersion, pseudonym, into: &buffer)
        writeFraming(into: &buffer)
        if wantsWebSocket { buffer.writeStaticString("Connection: Upgrade\r\nUpgrade: websocket\r\n") }
        if let authorization = hop.authorization {
            buffer.writeString("Proxy-Authorization: \(authorization)\r\n")
        }
        buffer.writeStaticString("\r\n")
    }

    /// Appends what carries an offer to a parent ahead of this request's body: a HEAD, which is safe wherever it ends
    /// (RFC 9110 §9.2.1). It says of the client only what the parent needs.
    func serializeOffer(into buffer: inout ByteBuffer, _ authorization: String, pseudonym: String) {
        buffer.writeString("HEAD \(target.absoluteForm) HTTP/1.1\r\nHost: \(target.hostField)\r\n")
        Via.write(minorVersion: head.minorVersion, pseudonym, into: &buffer)
        buffer.writeString("Proxy-Authorization: \(authorization)\r\n\r\n")
    }

    private func isReplaced(_ name: HTTPField.Name) -> Bool {
        if name == .host || options.strips(name) { return true }
        if name == .expect { return head.minorVersion == 0 }
        return name == .maxForwards && maxForwards != nil
    }

    private func writeFraming(into buffer: inout ByteBuffer) {
        switch framing {
        case .length(let octets): buffer.writeContentLength(octets)
        case .chunked: buffer.writeStaticString("Transfer-Encoding: chunked\r\n")
        case .none, .untilClose:
            // A POST of nothing says so; servers answer 411 without.
            if head.fields.contains(.contentLength) { buffer.writeStaticString("Content-Length: 0\r\n") }
        }
    }
}

/// Who gets a forwarded request next.
package enum ForwardHop: Sendable, Hashable {
    /// The origin itself, perhaps through a tunnel.
    case origin
    /// A proxy that forwards in turn, with the credentials for it.
    case parent(authorization: String?)
    /// Such a proxy, which will answer this with a challenge on the same connection: a body waits for that.
    case parentToChallenge(offer: String)

    var authorization: String? {
        switch self {
        case .origin: nil
        case .parent(let authorization): authorization
        case .parentToChallenge(let offer): offer
        }
    }
}

/// Schemes that authenticate a connection, not a request (RFC 4559 §6): it must serve nobody else from then on.
enum ConnectionBoundScheme {
    static func begins(_ value: String) -> Bool {
        let scheme = value.utf8.prefix { ASCII.isTokenCharacter($0) }
        return ["ntlm", "negotiate", "nego2", "kerberos"].contains(String(Substring(scheme)).lowercased())
    }
}

extension ByteBuffer {
    mutating func writeContentLength(_ octets: UInt64) {
        writeLine("Content-Length: ", String(octets))
    }
}
