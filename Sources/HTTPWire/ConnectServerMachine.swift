internal import HTTPTypes
package import NIOCore

/// The proxy's side of one client connection, up to its tunnel.
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
        /// Write `response` to the client and `early` to the destination; from here on it is a relay.
        case establish(response: ByteBuffer, early: ByteBuffer, inputClosed: Bool)
        case reject(response: ByteBuffer, Rejection, then: After)
        case close
    }

    private enum State: Sendable {
        /// Waiting for a head.
        case readingHead(HeadParser, ByteBuffer)
        /// Waiting for the verifier.
        case authenticating(Pending, ServerRequest)
        /// Waiting for the policy.
        case authorising(Pending, Authority)
        /// Waiting for the destination.
        case dialing(Pending)
        case established
        case closed
    }

    /// A request under way, and what came behind its head.
    private struct Pending: Sendable {
        let head: RequestHead
        var early: ByteBuffer
        var inputClosed = false
    }

    /// NTLM takes three requests; whoever is refused this often on one connection is guessing.
    private static let maxChallenges = 16

    private let limits: HTTPLimits
    private let requiresAuthentication: Bool
    private let agent: String
    private let maxEarlyBytes: Int
    private var state: State
    private var challengesSent = 0
    /// The last head that was parsed, for the log.
    package private(set) var receivedHead: RequestHead?

    /// - Parameter maxEarlyBytes: how much may wait behind a CONNECT, in octets. 64 KiB: a TLS client hello
    ///   with post-quantum keys has 2, and more than a socket buffer is only a slow dial made expensive.
    package init(
        limits: HTTPLimits = .serving, requiresAuthentication: Bool, agent: String = "Culvert",
        maxEarlyBytes: Int = 64 << 10
    ) {
        self.limits = limits
        self.requiresAuthentication = requiresAuthentication
        self.agent = agent
        self.maxEarlyBytes = maxEarlyBytes
        state = .readingHead(HeadParser(mode: .strict, limits: limits), ByteBuffer())
    }

    package mutating func receive(_ bytes: ByteBuffer) -> Action {
        switch state {
        case .readingHead(let parser, var buffer):
            state = .closed  // Gives up the stored buffer, so that appending copies nothing.
            buffer.writeImmutableBuffer(bytes)
            return readHead(parser, buffer)
        case .authenticating(var pending, let request):
            state = .closed
            pending.early.writeImmutableBuffer(bytes)
            state = .authenticating(pending, request)
            return held(pending)
        case .authorising(var pending, let authority):
            state = .closed
            pending.early.writeImmutableBuffer(bytes)
            state = .authorising(pending, authority)
            return held(pending)
        case .dialing(var pending):
            state = .closed
            pending.early.writeImmutableBuffer(bytes)
            state = .dialing(pending)
            return held(pending)
        case .established:
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
        case .authorising(var pending, let authority):
            pending.inputClosed = true
            state = .authorising(pending, authority)
            return .needMore
        case .dialing(var pending):
            pending.inputClosed = true
            state = .dialing(pending)
            return .needMore
        case .established, .closed:
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
        return reject(rejection, pending.head, then: mayRetry(pending) ? .keepAlive : .close)
    }

    package mutating func authorised() -> Action {
        guard case .authorising(let pending, let authority) = state else { return close() }
        state = .dialing(pending)
        return .dial(authority)
    }

    package mutating func denied(_ rejection: Rejection) -> Action {
        guard case .authorising(let pending, _) = state else { return close() }
        return reject(rejection, pending.head, then: .close)
    }

    package mutating func dialSucceeded() -> Action {
        guard case .dialing(let pending) = state else { return close() }
        state = .established
        // No Content-Length: RFC 9110 §9.3.6 forbids it, and clients disagree on what it would mean.
        let response = ByteBuffer(string: "HTTP/1.1 200 Connection established\r\n\r\n")
        return .establish(response: response, early: pending.early, inputClosed: pending.inputClosed)
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
        do { request = try ServerRequest(pending.head) } catch {
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
            state = .authorising(pending, authority)
            return .authorise(authority, pending.head)
        case .unsupported(let rejection):
            return reject(rejection, pending.head, then: .close)
        }
    }

    private func held(_ pending: Pending) -> Action {
        pending.early.readableBytes > maxEarlyBytes ? .pauseReading : .needMore
    }

    /// Bytes that already wait behind the refused request were meant for its tunnel: reading them as the
    /// next request would let whoever chose them speak for the client.
    private func mayRetry(_ pending: Pending) -> Bool {
        let framing = try? BodyFraming.of(request: pending.head)
        return pending.early.readableBytes == 0 && !pending.inputClosed && framing == BodyFraming.none
            && pending.head.keepsConnection && challengesSent <= Self.maxChallenges
    }

    private mutating func reject(_ rejection: Rejection, _ head: RequestHead?, then after: After) -> Action {
        switch after {
        case .close: state = .closed
        case .keepAlive: state = .readingHead(HeadParser(mode: .strict, limits: limits), ByteBuffer())
        }
        let response = rejection.serialized(
            agent: agent, keepsConnection: after == .keepAlive, toHead: head?.method == .head)
        return .reject(response: response, rejection, then: after)
    }

    private mutating func close() -> Action {
        state = .closed
        return .close
    }
}
