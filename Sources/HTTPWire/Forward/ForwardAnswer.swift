internal import HTTPTypes
internal import NIOCore

/// The head of an origin's final answer, and what passing it on means for both connections.
struct ForwardAnswer: Sendable {
    let head: ResponseHead
    /// How the origin frames the body.
    let framing: BodyFraming
    /// How the client gets it.
    let coding: BodyRelay.Coding
    /// The client need not wait for the close to see the body's end.
    let isDelimited: Bool
    /// The client's connection can carry another request afterwards.
    let keepsClient: Bool
    /// The origin's can.
    let keepsOrigin: Bool
    /// `Content-Length` for the client.
    private let length: UInt64?

    /// - Parameter isRequestSent: whether the whole request went out before this answer came.
    init(_ head: ResponseHead, to request: ForwardRequest, isRequestSent: Bool) throws(WireError) {
        self.head = head
        let method = request.head.method
        let announced = try Self.framing(head, toMethod: .get)
        let clientIsOld = request.head.minorVersion == 0
        framing = method == .get ? announced : try Self.framing(head, toMethod: method)
        length = Self.length(announced, head)
        switch framing {
        case .none, .length: (coding, isDelimited) = (.identity, true)
        case .chunked, .untilClose: (coding, isDelimited) = (clientIsOld ? .identity : .chunked, !clientIsOld)
        }
        keepsClient = request.head.keepsConnection && isRequestSent && isDelimited
        // RFC 9112 §6.1: a coding on HTTP/1.0 is dubious framing; close behind it.
        let isDubious = head.minorVersion == 0 && head.response.headerFields.contains(.transferEncoding)
        keepsOrigin = head.keepsConnection && isRequestSent && framing != .untilClose && !isDubious
    }

    /// What the client is told. An answer to HEAD tells what a GET would have had; 204 has none, and with 304 it is
    /// optional (RFC 9110 §8.6).
    private static func length(_ announced: BodyFraming, _ head: ResponseHead) -> UInt64? {
        if head.response.status.code == 204 || head.response.status.code == 304 { return nil }
        switch announced {
        case .length(let octets): return octets
        case .none: return head.response.headerFields.contains(.contentLength) ? 0 : nil
        case .chunked, .untilClose: return nil
        }
    }

    /// An authentication that stands for the connection is going on there.
    var bindsConnection: Bool {
        let fields = head.response.headerFields
        guard fields.contains(.wwwAuthenticate) else { return false }
        return fields[values: .wwwAuthenticate].contains { value in
            value.utf8.split(separator: ASCII.comma).contains { member in
                ConnectionBoundScheme.begins(String(Substring(ASCII.trimmed(member))))
            }
        }
    }

    /// Appends the head as the client gets it.
    func serialize(into buffer: inout ByteBuffer, clientMinorVersion: UInt8, pseudonym: String, now: Int64) {
        Self.write(head, into: &buffer)
        if let length { buffer.writeContentLength(length) }
        if coding == .chunked { buffer.writeStaticString("Transfer-Encoding: chunked\r\n") }
        // RFC 9110 §6.6.1: who forwards an answer without a date gives it one.
        if !head.response.headerFields.contains(.date) {
            buffer.writeLine("Date: ", HTTPDate.text(secondsSince1970: now))
        }
        Via.write(minorVersion: head.minorVersion, pseudonym, into: &buffer)
        if !keepsClient {
            buffer.writeStaticString("Connection: close\r\n")
        } else if clientMinorVersion == 0 {
            buffer.writeStaticString("Connection: keep-alive\r\n")
        }
        buffer.writeStaticString("\r\n")
    }

    /// Appends an interim head (RFC 9110 §15.2).
    static func serializeInterim(_ head: ResponseHead, into buffer: inout ByteBuffer, pseudonym: String) {
        write(head, into: &buffer)
        // A 100 is the word to go on, and nothing else.
        if head.response.status.code != 100 {
            Via.write(minorVersion: head.minorVersion, pseudonym, into: &buffer)
        }
        buffer.writeStaticString("\r\n")
    }

    /// Appends the 101 that opens a WebSocket.
    static func serializeUpgrade(_ head: ResponseHead, into buffer: inout ByteBuffer, pseudonym: String) {
        write(head, into: &buffer)
        Via.write(minorVersion: head.minorVersion, pseudonym, into: &buffer)
        buffer.writeStaticString("Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n")
    }

    /// The status line in our version (RFC 9112 §2.3), and the end-to-end fields.
    private static func write(_ head: ResponseHead, into buffer: inout ByteBuffer) {
        let status = head.response.status
        buffer.writeStaticString("HTTP/1.1 ")
        buffer.writeString(String(status.code))
        buffer.writeStaticString(" ")
        buffer.writeString(status.reasonPhrase)
        buffer.writeStaticString("\r\n")
        let options = ConnectionOptions(head.response.headerFields)
        for field in head.response.headerFields where !options.strips(field.name) {
            field.write(into: &buffer)
        }
    }

    /// As `BodyFraming`, but of transfer codings only chunked: no other was asked for, and what cannot be read
    /// cannot be framed anew.
    private static func framing(
        _ head: ResponseHead, toMethod method: HTTPRequest.Method
    ) throws(WireError) -> BodyFraming {
        let framing = try BodyFraming.of(response: head, toMethod: method, lenient: false)
        let fields = head.response.headerFields
        if fields.contains(.transferEncoding), fields.tokens(.transferEncoding) != ["chunked"] {
            throw WireError(.unsupportedTransferCoding, "the Transfer-Encoding is not exactly chunked")
        }
        return framing
    }
}
