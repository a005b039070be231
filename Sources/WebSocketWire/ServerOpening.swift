internal import HTTPTypes
package import HTTPWire
package import NIOCore

/// The server's end of a connection up to its first answer: reads one request and tells what it is.
///
/// Feed it with `receive`. Once it gave a request out, further bytes are kept for whoever the connection goes on with:
/// ``takeLeftover()``.
package struct ServerOpening: Sendable {
    private let origins: WebSocketOrigins
    private var state = State.head(HeadParser(mode: .strict, limits: .serving), ByteBuffer())

    private enum State: Sendable {
        /// Reading the head. Leaves on its end, a malformed head, EOF, the deadline.
        case head(HeadParser, ByteBuffer)
        /// The request is with the application. Leaves on its answer, EOF, the deadline.
        case deciding(leftover: ByteBuffer)
        /// Answered, refused or gone.
        case over
    }

    /// What came of the received bytes.
    package enum Action: Sendable, Hashable {
        case needMore
        /// A request for a WebSocket that keeps every rule.
        case upgrade(ServerHandshake)
        /// Any other request; the bytes are all that was received, its head included.
        case other(RequestHead, bytes: ByteBuffer)
        /// An answer that ends the connection.
        case refuse(ServerHandshakeRefusal)
        /// Nobody is there to answer.
        case close
    }

    package init(origins: WebSocketOrigins) {
        self.origins = origins
    }

    /// The application has the request and has not answered yet.
    package var isDeciding: Bool {
        if case .deciding = state { true } else { false }
    }

    /// Takes bytes of the connection.
    package mutating func receive(_ bytes: ByteBuffer) -> Action {
        switch state {
        case .head(var parser, var buffer):
            state = .over
            buffer.writeImmutableBuffer(bytes)
            let received = buffer
            do throws(WireError) {
                guard let head = try parser.parseRequest(&buffer) else {
                    state = .head(parser, buffer)
                    return .needMore
                }
                return begin(head, received: received, leftover: buffer)
            } catch {
                let status = Rejection(error).status
                return .refuse(ServerHandshakeRefusal(.init(code: status), error.detail))
            }
        case .deciding(var leftover):
            state = .over
            leftover.writeImmutableBuffer(bytes)
            state = .deciding(leftover: leftover)
            return .needMore
        case .over:
            return .needMore
        }
    }

    /// A request whose head was read elsewhere, with the bytes behind it.
    package mutating func begin(_ request: RequestHead, leftover: ByteBuffer) -> Action {
        begin(request, received: leftover, leftover: leftover)
    }

    private mutating func begin(
        _ request: RequestHead, received: ByteBuffer, leftover: ByteBuffer
    ) -> Action {
        state = .deciding(leftover: leftover)
        guard ServerHandshake.isAsked(for: request) else { return .other(request, bytes: received) }
        do throws(ServerHandshakeRefusal) {
            let handshake = try ServerHandshake(request)
            if let objection = origins.objection(to: request.fields) { throw objection }
            return .upgrade(handshake)
        } catch {
            state = .over
            return .refuse(error)
        }
    }

    /// The client's output ended. It may still read the answer of a request, but not a WebSocket.
    package mutating func receiveEOF() -> Action {
        state = .over
        return .close
    }

    /// The request, or the application's answer to it, did not come in time.
    package mutating func deadlineExpired() -> Action {
        defer { state = .over }
        switch state {
        case .head(_, let buffer) where buffer.readableBytes > 0:
            return .refuse(ServerHandshakeRefusal(.requestTimeout, "the request did not come in time"))
        case .deciding:
            return .refuse(ServerHandshakeRefusal(.serviceUnavailable, "the server did not decide in time"))
        case .head, .over:
            return .close
        }
    }

    /// The server stops: a request that is not whole is not waited for.
    package mutating func stop() -> Action {
        guard case .head(_, let buffer) = state else { return .needMore }
        state = .over
        return buffer.readableBytes == 0
            ? .close : .refuse(ServerHandshakeRefusal(.serviceUnavailable, "the server is stopping"))
    }

    /// The application answers: what was received behind the request. Nil when it is too late.
    package mutating func takeLeftover() -> ByteBuffer? {
        guard case .deciding(let leftover) = state else { return nil }
        state = .over
        return leftover
    }
}
