internal import HTTPTypes
package import NIOCore

/// The proxy's side of one client connection, up to its tunnel: every head of a request, forwarded ones included.
/// A forwarded request's body and answer are a ``ForwardMachine``'s, which gives the connection back.
///
/// Events that no longer matter (a dial that succeeds after the client went away) return `close`.
package struct ConnectServerMachine: Sendable {
    package typealias Rejection = HTTPWire.Rejection

    /// What becomes of the connection behind a rejection.
    package enum After: Sendable, Hashable {
        /// Close with lingering: read and discard until the client closes, or its answer is lost to a RST.
        case close
        case keepAlive
    }

    package enum Action: Sendable, Hashable {
        case needMore
        /// Enough early bytes are held; read again after `establish`.
        case pauseReading
        /// Verify the credentials, then `authenticated` or `authenticationFailed`.
        case authenticate(RequestHead)
        /// Rule on the destination, then `authorised` or `denied`.
        case authorise(Authority, RequestHead)
        /// Connect, then `dialSucceeded` or `dialFailed`.
        case dial(Authority)
        /// Run a ``ForwardMachine`` with what came behind the head, then `exchangeEnded` or `exchangeRefused`.
        /// Meanwhile the client's bytes are that machine's.
        case forward(ForwardRequest, early: ByteBuffer, inputClosed: Bool)
        /// Write `response` to the client and `early` to the destination; from here on it is a relay.
        case establish(response: ByteBuffer, early: ByteBuffer, inputClosed: Bool)
        case reject(response: ByteBuffer, Rejection, then: After)
        /// Close with lingering, after what was written before.
        case linger
        case close
    }

    private enum State: Sendable {
        /// Waiting for a head.
        case readingHead(HeadParser, ByteBuffer)
        /// Waiting for the verifier.
        case authenticating(Pending, ServerRequest)
        /// Waiting for the policy.
        case authorising(Pending, Destination)
        /// Waiting for the destination.
        case dialing(Pending)
        /// Waiting for the end of an exchange.
        case forwarding(RequestHead)
        case established
        case closed
    }

    private enum Destination: Sendable {
        case tunnel(Authority)
        case forward(ForwardRequest)
    }

    /// A request under way, and what came behind its head.
    private struct Pending: Sendable {
        let head: RequestHead
        var early: ByteBuffer
        var inputClosed = false
    }

    /// No Content-Length: RFC 9110 §9.3.6 forbids it, and clients disagree on what it would mean.
    private static let established = ByteBuffer(string: "HTTP/1.1 200 Connection established\r\n\r\n")

    /// NTLM takes three requests; whoever is refused this often on one connection is guessing.
    private static let maxChallenges = 16

    private let limits: HTTPLimits
    private let requiresAuthentication: Bool
    private let agent: String
    private let pseudonym: String
    private let forwards: Bool
    private let maxEarlyBytes: Int
    private var state: State
    private var challengesSent = 0
    /// The last head that was parsed, for the log.
    package private(set) var receivedHead: RequestHead?

    /// - Parameters:
    ///   - pseudonym: this proxy's name in `Via` and `Proxy-Status`, another one for each proxy on a way.
    ///   - forwards: whether `http://` requests are forwarded; otherwise they are answered 501.
    ///   - maxEarlyBytes: how much may wait behind a CONNECT, in octets. 64 KiB: a TLS client hello
    ///     with post-quantum keys has 2, and more than a socket buffer is only a slow dial made expensive.
    package init(
        limits: HTTPLimits = .serving, requiresAuthentication: Bool, agent: String = "Culvert",
        pseudonym: String = "culvert", forwards: Bool = true, maxEarlyBytes: Int = 64 << 10
    ) {
        self.limits = limits
        self.requiresAuthentication = requiresAuthentication
        self.agent = agent
        self.pseudonym = pseudonym
        self.forwards = forwards
        self.maxEarlyBytes = maxEarlyBytes
        state = .readingHead(HeadParser(mode: .strict, limits: limits), ByteBuffer())
    }

    package mutating func receive(_ bytes: ByteBuffer) -> Action {
        switch state {
        case .readingHead(let parser, var buffer):
            state = .closed  // Gives up the stored buffer, so that appending copies nothing.
            buffer.append(bytes)
            return readHead(parser, buffer)
        case .authenticating(var pending, let request):
            state = .closed
            pending.early.writeImmutableBuffer(bytes)
            state = .authenticating(pending, request)
            return held(pending)
        case .authorising(var pending, let destination):
            state = .closed
            pending.early.writeImmutableBuffer(bytes)
            state = .authorising(pending, destination)
            return held(pending)
        case .dialing(var pending):
            state = .closed
            pending.early.writeImmutableBuffer(bytes)
            state = .dialing(pending)
            return held(pending)
        case .established, .forwarding:
            return .close
        case .closed:
            return .needMore  // Lingering: what comes is discarded, never parsed as a request.
        }
    }

    package mutating func receiveEOF() -> Action {
        switch state {
        case .readingHead(_, let buffer):
            if buffer.readableBytes == 0 { return close() }
            let error = WireError(.unexpectedEOF, "the connection closed inside the head")
            return reject(Rejection(error), nil, then: .close)
        case .authenticating(var pending, let request):
            pending.inputClosed = true
            state = .authenticating(pending, request)
            return .needMore
        case .authorising(var pending, let destination):
            pending.inputClosed = true
            state = .authorising(pending, destination)
            return .needMore
        case .dialing(var pending):
            pending.inputClosed = true
            state = .dialing(pending)
            return .needMore
        case .established, .forwarding, .closed:
            return close()
        }
    }

    /// The time for a head is over: 408 when a part of one came.
    package mutating func headDeadlineExpired() -> Action {
        guard case .readingHead(_, let buffer) = state else { return .needMore }
        if buffer.readableBytes == 0 { return close() }
        let rejection = Rejection(
            status: 408, reason: "slow request head", text: "The request took too long to arrive.")
        return reject(rejection, nil, then: .close)
    }

    package mutating func authenticated() -> Action {
        guard case .authenticating(let pending, let request) = state else { return close() }
        return proceed(pending, request)
    }

    /// Answers 407 with these challenges, one line each, framed so that the client can retry here.
    package mutating func authenticationFailed(challenges: [String]) -> Action {
        guard case .authenticating(let pending, _) = state else { return close() }
        challengesSent += 1
        var fields = HTTPFields()
        for challenge in challenges { fields.append(HTTPField(name: .proxyAuthenticate, value: challenge)) }
        let rejection = Rejection(
            status: 407, reason: "authentication required", text: "This proxy requires authentication.",
            fields: fields)
        guard challengesSent <= Self.maxChallenges else {
            return reject(rejection, pending.head, then: .close)
        }
        return reject(rejection, pending)
    }

    package mutating func authorised() -> Action {
        guard case .authorising(let pending, let destination) = state else { return close() }
        switch destination {
        case .tunnel(let authority):
            state = .dialing(pending)
            return .dial(authority)
        case .forward(let request):
            state = .forwarding(pending.head)
            return .forward(request, early: pending.early, inputClosed: pending.inputClosed)
        }
    }

    package mutating func denied(_ rejection: Rejection) -> Action {
        // Refused before anybody was asked who it is: the verifier is overloaded.
        if case .authenticating(let pending, _) = state {
            return reject(rejection, pending.head, then: .close)
        }
        guard case .authorising(let pending, let destination) = state else { return close() }
        switch destination {
        // What comes late behind it was meant for its tunnel.
        case .tunnel: return reject(rejection, pending.head, then: .close)
        case .forward: return reject(rejection, pending)
        }
    }

    /// The answer to a forwarded request is out.
    ///
    /// - Parameter leftover: what came behind the request.
    package mutating func exchangeEnded(
        leftover: ByteBuffer, inputClosed: Bool, keepsConnection: Bool
    ) -> Action {
        guard case .forwarding = state else { return close() }
        if !keepsConnection {
            state = .closed
            return .linger
        }
        return readNext(leftover, inputClosed: inputClosed)
    }

    /// A forwarded request came to nothing, and is answered here.
    ///
    /// - Parameter mayPersist: the request was read to its end, and `leftover` came behind it.
    package mutating func exchangeRefused(
        _ rejection: Rejection, leftover: ByteBuffer, inputClosed: Bool, mayPersist: Bool
    ) -> Action {
        guard case .forwarding(let head) = state else { return close() }
        let expectsMore = !inputClosed || leftover.readableBytes > 0
        return reject(rejection, head, then: mayPersist && expectsMore ? .keepAlive(leftover) : .close)
    }

    /// A refusal that keeps the connection is out: what came behind its request is next.
    package mutating func refusalSent(inputClosed: Bool) -> Action {
        guard case .readingHead(_, let next) = state else { return .needMore }
        return readNext(next, inputClosed: inputClosed)
    }

    package mutating func dialSucceeded() -> Action {
        guard case .dialing(let pending) = state else { return close() }
        state = .established
        return .establish(response: Self.established, early: pending.early, inputClosed: pending.inputClosed)
    }

    package mutating func dialFailed(_ rejection: Rejection) -> Action {
        guard case .dialing(let pending) = state else { return close() }
        return reject(rejection, pending.head, then: .close)
    }
}

extension ConnectServerMachine {
    private mutating func readHead(_ parser: HeadParser, _ bytes: ByteBuffer) -> Action {
        var parser = parser
        var buffer = bytes
        do {
            guard let head = try parser.parseRequest(&buffer) else {
                state = .readingHead(parser, buffer)
                return .needMore
            }
            receivedHead = head
            return accept(Pending(head: head, early: buffer.slice()))
        } catch {
            return reject(Rejection(error), nil, then: .close)
        }
    }

    private mutating func accept(_ pending: Pending) -> Action {
        let request: ServerRequest
        do { request = try ServerRequest(pending.head, pseudonym: pseudonym, forwards: forwards) } catch {
            return reject(error.rejection, pending.head, then: .close)
        }
        if requiresAuthentication {
            state = .authenticating(pending, request)
            return .authenticate(pending.head)
        }
        return proceed(pending, request)
    }

    private mutating func proceed(_ pending: Pending, _ request: ServerRequest) -> Action {
        switch request {
        case .tunnel(let authority):
            state = .authorising(pending, .tunnel(authority))
            return .authorise(authority, pending.head)
        case .forward(let request):
            state = .authorising(pending, .forward(request))
            return .authorise(request.target.authority, pending.head)
        case .answer(let rejection):
            return reject(rejection, pending)
        case .unsupported(let rejection):
            return reject(rejection, pending.head, then: .close)
        }
    }

    private func held(_ pending: Pending) -> Action {
        pending.early.readableBytes > maxEarlyBytes ? .pauseReading : .needMore
    }

    /// Bytes that already wait behind a refused CONNECT were meant for its tunnel: reading them as the next request
    /// would let whoever chose them speak for the client. Behind any other request they are the next one, unless they
    /// are its body.
    private mutating func reject(_ rejection: Rejection, _ pending: Pending) -> Action {
        let hasBody = (try? BodyFraming.of(request: pending.head)) != BodyFraming.none
        let isAmbiguous = hasBody || (pending.head.method == .connect && pending.early.readableBytes > 0)
        let expectsMore = !pending.inputClosed || pending.early.readableBytes > 0
        let mayPersist = !isAmbiguous && expectsMore && pending.head.keepsConnection
        return reject(rejection, pending.head, then: mayPersist ? .keepAlive(pending.early) : .close)
    }

    private enum Then {
        case keepAlive(ByteBuffer)
        case close
    }

    private mutating func reject(_ rejection: Rejection, _ head: RequestHead?, then: Then) -> Action {
        let after: After
        switch then {
        case .close: (state, after) = (.closed, .close)
        case .keepAlive(let next): (state, after) = (.readingHead(newParser, next), .keepAlive)
        }
        let response = rejection.serialized(
            agent: agent, pseudonym: pseudonym, keepsConnection: after == .keepAlive,
            toHead: head?.method == .head)
        return .reject(response: response, rejection, then: after)
    }

    private mutating func readNext(_ next: ByteBuffer, inputClosed: Bool) -> Action {
        if inputClosed, next.readableBytes == 0 {
            state = .closed
            return .linger
        }
        let action = readHead(newParser, next)
        guard inputClosed else { return action }
        // Half a head is refused; a whole request keeps its client's FIN in mind.
        let end = receiveEOF()
        return action == .needMore ? end : action
    }

    private var newParser: HeadParser { HeadParser(mode: .strict, limits: limits) }

    private mutating func close() -> Action {
        state = .closed
        return .close
    }
}
