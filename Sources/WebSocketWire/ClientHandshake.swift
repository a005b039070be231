package import HTTPTypes
package import HTTPWire
package import NIOCore

/// The client's side of the opening handshake (RFC 6455 §4.1): one request, and the check of its answer.
///
/// It knows no time: when the caller's deadline expires while a refusal's body is still coming, `receiveEOF` gives
/// the refusal with what came.
package struct ClientHandshake: Sendable {
    /// What ``request()`` writes.
    package let requestHead: RequestHead
    private let key: HandshakeKey
    private let subprotocols: [String]
    private let extensions: Set<String>
    private let compression: WebSocketCompression
    private var state: State

    /// The compression that the server agreed to, for the machine that follows; nil without an agreement, and before
    /// `upgraded`.
    package private(set) var deflate: PerMessageDeflate?

    /// 16: a 103 per resource at the worst; no server sends more in earnest.
    package static let maxInterimResponses = 16
    /// 16 KiB: an error page to show to a person.
    package static let maxRefusalBody = 16 << 10

    private enum State {
        /// Waiting for the head of the final answer. Leaves on it, on bytes that are no HTTP, on EOF.
        case head(HeadParser, buffer: ByteBuffer, received: Int, interim: Int)
        /// Reading the body of an answer that is not 101. Leaves on its end, its limit, EOF.
        case refusal(Refusal, buffer: ByteBuffer)
        case done
    }

    private struct Refusal {
        let response: HTTPResponse
        var decoder: BodyDecoder
        var body = ByteBuffer()
    }

    /// What came of the answer.
    package enum Action: Sendable, Hashable {
        case needMore
        /// A 101 that keeps every rule. The bytes behind it belong to the WebSocket.
        case upgraded(HTTPResponse, subprotocol: String?, extensions: [String], leftover: ByteBuffer)
        /// Any other final status, with the start of its body.
        case refused(HTTPResponse, body: ByteBuffer, bodyTruncated: Bool)
        /// No HTTP, an early end, or a 101 that breaks a rule.
        case failed(HandshakeFailure)
    }

    /// - Parameters:
    ///   - fields: added to the request; they replace defaults of the same name, `Host` included.
    ///   - subprotocols: offered in order of preference.
    ///   - extensions: offers with their parameters; what is answered to them is for the caller to check.
    ///   - compression: offered, and the answer checked, here.
    ///   - nonce: 16 unpredictable bytes, fresh for every connection.
    package init(
        url: WebSocketURL, fields: HTTPFields = [:], subprotocols: [String] = [], extensions: [String] = [],
        compression: WebSocketCompression = .disabled, nonce: [UInt8]
    ) throws(HandshakeRequestError) {
        guard let key = HandshakeKey(nonce: nonce) else { throw .nonceLength(nonce.count) }
        try Self.check(subprotocols: subprotocols)
        try Self.check(extensions: extensions)
        try Self.check(fields)
        var extensions = extensions
        if case .deflate(let options) = compression { extensions.append(options.offer.description) }
        self.key = key
        self.compression = compression
        self.subprotocols = subprotocols
        self.extensions = Set(extensions.map(FieldList.name(ofExtension:)))
        self.requestHead = RequestHead(
            method: .get, target: url.resource, minorVersion: 1,
            fields: Self.fields(url, fields, key, subprotocols, extensions))
        self.state = .head(
            HeadParser(mode: .lenient, limits: .answer), buffer: ByteBuffer(), received: 0, interim: 0)
    }

    /// The whole request, for one write.
    package func request() -> ByteBuffer {
        var buffer = ByteBuffer()
        requestHead.serialize(into: &buffer)
        return buffer
    }

    /// Takes bytes of the answer. After a final action there is nothing more to receive.
    package mutating func receive(_ bytes: ByteBuffer) -> Action {
        switch state {
        case .head(let parser, var buffer, let received, let interim):
            state = .done
            buffer.writeImmutableBuffer(bytes)
            return readHead(parser, buffer, received: received + bytes.readableBytes, interim: interim)
        case .refusal(let refusal, var buffer):
            state = .done
            // What was decoded goes: tiny chunks with long extensions would pile up behind a small body.
            buffer.discardReadBytes()
            buffer.writeImmutableBuffer(bytes)
            return readBody(refusal, buffer)
        case .done:
            return .needMore
        }
    }

    /// The server's output ended.
    package mutating func receiveEOF() -> Action {
        switch state {
        case .head(_, _, let received, _):
            state = .done
            return .failed(HandshakeFailure(.closed(afterBytes: received)))
        case .refusal(var refusal, _):
            state = .done
            // Only a body that lasts until the close ends here; any other was cut short.
            var isCut = true
            do throws(WireError) {
                if case .end = try refusal.decoder.receiveEOF() { isCut = false }
            } catch {}
            return .refused(refusal.response, body: refusal.body, bodyTruncated: isCut)
        case .done:
            return .needMore
        }
    }

    private mutating func readHead(
        _ parser: HeadParser, _ buffer: ByteBuffer, received: Int, interim: Int
    ) -> Action {
        var (parser, buffer, interim) = (parser, buffer, interim)
        while true {
            let unparsed = buffer
            let answer: ResponseHead?
            do throws(WireError) {
                answer = try parser.parseResponse(&buffer)
            } catch {
                // The parser refuses what is no HTTP with its first bytes; a person wants to see them.
                if error.code == .malformedStartLine, let start = HTTPStart.contradiction(in: unparsed) {
                    return .failed(HandshakeFailure(.notHTTP(start: start)))
                }
                return .failed(HandshakeFailure(.wire(error)))
            }
            guard let answer else {
                state = .head(parser, buffer: buffer, received: received, interim: interim)
                return .needMore
            }
            if answer.response.status.code == 101 { return upgrade(answer, leftover: buffer) }
            guard answer.response.status.kind == .informational else { return refuse(answer, buffer) }
            interim += 1
            if interim > Self.maxInterimResponses {
                return .failed(HandshakeFailure(.tooManyInterimResponses, response: answer.response))
            }
        }
    }

    private mutating func upgrade(_ answer: ResponseHead, leftover: ByteBuffer) -> Action {
        do throws(HandshakeFailure) {
            let agreed = try UpgradeAnswer.check(
                answer, key: key, subprotocols: subprotocols, extensions: extensions,
                compression: compression)
            deflate = agreed.deflate
            return .upgraded(
                answer.response, subprotocol: agreed.subprotocol, extensions: agreed.extensions,
                leftover: leftover)
        } catch {
            return .failed(error)
        }
    }

    private mutating func refuse(_ answer: ResponseHead, _ buffer: ByteBuffer) -> Action {
        do throws(WireError) {
            let framing = try BodyFraming.of(response: answer, toMethod: .get, lenient: true)
            return readBody(Refusal(response: answer.response, decoder: BodyDecoder(framing)), buffer)
        } catch {
            // The status is what matters; a body whose end cannot be known is left out.
            return .refused(answer.response, body: ByteBuffer(), bodyTruncated: true)
        }
    }

    private mutating func readBody(_ refusal: Refusal, _ buffer: ByteBuffer) -> Action {
        var (refusal, buffer) = (refusal, buffer)
        do throws(WireError) {
            while true {
                switch try refusal.decoder.decode(&buffer) {
                case .needMore:
                    state = .refusal(refusal, buffer: buffer)
                    return .needMore
                case .data(var piece):
                    let room = Self.maxRefusalBody - refusal.body.readableBytes
                    if piece.readableBytes > room {
                        if let start = piece.readSlice(length: room) {
                            refusal.body.writeImmutableBuffer(start)
                        }
                        return .refused(refusal.response, body: refusal.body, bodyTruncated: true)
                    }
                    refusal.body.writeImmutableBuffer(piece)
                case .end:
                    return .refused(refusal.response, body: refusal.body, bodyTruncated: false)
                }
            }
        } catch {
            return .refused(refusal.response, body: refusal.body, bodyTruncated: true)
        }
    }
}
