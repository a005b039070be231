package import HTTPTypes
package import NIOCore

/// The client's side of CONNECT (RFC 9110 §9.3.6): one connection to one proxy, with as many tries at its
/// authentication as the caller makes.
package struct ConnectClientMachine: Sendable {
    /// What the bytes amount to. After anything but `needMore` and a challenge that keeps the connection the
    /// machine is done.
    package enum Action: Sendable, Hashable {
        case needMore
        /// The tunnel stands. Every byte behind the head is the tunnel's.
        case established(ResponseHead, leftover: ByteBuffer)
        /// A 407 with at least one challenge, one raw `Proxy-Authenticate` value per line.
        case challenged(ConnectRefusal, challenges: [String], keepsConnection: Bool)
        /// Any other answer from 300 up, a 407 without a challenge included.
        case refused(ConnectRefusal)
        case failed(ConnectFailure)
    }

    private enum State: Sendable {
        /// Leaves on `start`.
        case idle
        /// Waiting for a final answer's head.
        case readingHead(HeadParser, ByteBuffer, interim: Int)
        /// Waiting for the end of a refusal's body.
        case readingRefusal(RefusalReader, ByteBuffer)
        /// After a challenge. Leaves on `retry`.
        case awaitingRetry
        /// Bytes and EOF are the tunnel's or nobody's.
        case done
        case failed(ConnectFailure)
    }

    /// Proxies send one 100 or 103; the bound only stops a peer that sends them for ever.
    private static let maxInterim = 16

    private let head: RequestHead
    private let limits: HTTPLimits
    private let maxRefusalBody: Int
    private var state = State.idle

    /// - Parameters:
    ///   - fields: replace the defaults of the same name (`Host`, `User-Agent`, `Proxy-Connection`) and add
    ///     to them.
    ///   - maxRefusalBody: how much of a refusal's body is kept, in octets. 16 KiB: an error page to show.
    package init(
        target: Authority, fields: HTTPFields = [:], limits: HTTPLimits = .answer,
        maxRefusalBody: Int = 16 << 10
    ) {
        self.limits = limits
        self.maxRefusalBody = maxRefusalBody
        let defaults: HTTPFields = [
            .host: target.description, .userAgent: "Culvert", .proxyConnection: "Keep-Alive",
        ]
        var all = HTTPFields(defaults.filter { !fields.contains($0.name) })
        all.append(contentsOf: fields)
        head = RequestHead(method: .connect, target: target.description, fields: all)
    }

    /// The whole request, for one write: some proxies read it once.
    package mutating func start(proxyAuthorization: String?) -> ByteBuffer {
        state = .readingHead(HeadParser(mode: .lenient, limits: limits), ByteBuffer(), interim: 0)
        return request(proxyAuthorization)
    }

    /// The request again, on the same connection. Only after a challenge that keeps the connection; when
    /// that connection failed meanwhile, the next event says so.
    package mutating func retry(proxyAuthorization: String) -> ByteBuffer {
        if case .awaitingRetry = state {
            state = .readingHead(HeadParser(mode: .lenient, limits: limits), ByteBuffer(), interim: 0)
        }
        return request(proxyAuthorization)
    }

    package mutating func receive(_ bytes: ByteBuffer) -> Action {
        switch state {
        case .idle, .awaitingRetry, .done:
            return fail(.unexpectedBytes(ASCII.escaped(bytes.readableBytesView)))
        case .failed(let failure):
            return .failed(failure)
        case .readingHead(let parser, var buffer, let interim):
            state = .done  // Gives up the stored buffer, so that appending copies nothing.
            buffer.writeImmutableBuffer(bytes)
            return readHead(parser, buffer, interim: interim)
        case .readingRefusal(let reader, var buffer):
            state = .done
            buffer.writeImmutableBuffer(bytes)
            return readRefusal(reader, buffer)
        }
    }

    package mutating func receiveEOF() -> Action {
        switch state {
        case .idle, .awaitingRetry, .done:
            return fail(.closed(afterBytes: 0))
        case .failed(let failure):
            return .failed(failure)
        case .readingHead(_, let buffer, _):
            return fail(.closed(afterBytes: buffer.readableBytes))
        case .readingRefusal(var reader, _):
            return finish(reader.receiveEOF(), keepsConnection: false)
        }
    }
}

extension ConnectClientMachine {
    private func request(_ proxyAuthorization: String?) -> ByteBuffer {
        var head = head
        if let proxyAuthorization { head.fields[.proxyAuthorization] = proxyAuthorization }
        var buffer = ByteBuffer()
        head.serialize(into: &buffer)
        return buffer
    }

    private mutating func readHead(_ parser: HeadParser, _ bytes: ByteBuffer, interim: Int) -> Action {
        var parser = parser
        var buffer = bytes
        var interim = interim
        do {
            while let head = try parser.parseResponse(&buffer) {
                switch head.response.status.code {
                case 101:
                    return fail(.switchedProtocols)
                case 100...199:
                    interim += 1
                    if interim > Self.maxInterim { return fail(.tooManyInterimAnswers(Self.maxInterim)) }
                case 200...299:
                    state = .done
                    return .established(head, leftover: buffer.slice())
                default:
                    return readRefusal(RefusalReader(head, maxKept: maxRefusalBody), buffer)
                }
            }
        } catch {
            if error.code == .malformedStartLine, !Self.looksLikeHTTP(buffer) {
                return fail(.notHTTP(ASCII.escaped(buffer.readableBytesView)))
            }
            return fail(.wire(error))
        }
        state = .readingHead(parser, buffer, interim: interim)
        return .needMore
    }

    private static func looksLikeHTTP(_ buffer: ByteBuffer) -> Bool {
        let text = buffer.readableBytesView.drop { $0 == ASCII.carriageReturn || $0 == ASCII.lineFeed }
        return text.starts(with: "HTTP/".utf8)
    }

    private mutating func readRefusal(_ reader: RefusalReader, _ bytes: ByteBuffer) -> Action {
        var reader = reader
        var buffer = bytes
        switch reader.receive(&buffer) {
        case .needMore:
            buffer.discardReadBytes()
            state = .readingRefusal(reader, buffer)
            return .needMore
        case .done(let refusal, let keepsConnection):
            return finish(refusal, keepsConnection: keepsConnection)
        }
    }

    private mutating func finish(_ refusal: ConnectRefusal, keepsConnection: Bool) -> Action {
        let challenges = refusal.response.headerFields[values: .proxyAuthenticate].filter { !$0.isEmpty }
        guard refusal.response.status.code == 407, !challenges.isEmpty else {
            state = .done
            return .refused(refusal)
        }
        state = keepsConnection ? .awaitingRetry : .done
        return .challenged(refusal, challenges: challenges, keepsConnection: keepsConnection)
    }

    private mutating func fail(_ failure: ConnectFailure) -> Action {
        state = .failed(failure)
        return .failed(failure)
    }
}
