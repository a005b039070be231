import HTTPTypes
import HTTPWire
import NIOCore
import WebSocketWire

/// Both sides of the opening handshake.
enum FuzzHandshake {
    /// RFC 6455's own nonce, so that the corpus can hold its answer.
    private static let nonce = Array("the sample nonce".utf8)

    /// An answer from a server: how it is cut must not matter but for the bytes behind a 101, of which none is lost.
    static func answer(_ bytes: ByteBuffer) {
        let whole = feed([bytes])
        let single = feed(bytes.readableBytesView.map { ByteBuffer(bytes: [$0]) })
        precondition(whole == single, "byte by byte and whole must come to the same")
        switch whole.action {
        case .upgraded(let response, let subprotocol, let extensions, _):
            precondition(response.status.code == 101, "only a 101 upgrades")
            precondition(subprotocol == nil || subprotocol == "chat", "a subprotocol that was not offered")
            precondition(
                extensions.allSatisfy { $0.lowercased().hasPrefix("permessage-deflate") }, "not offered")
        case .refused(let response, let body, _):
            precondition(response.status.code != 101, "a 101 is no refusal")
            precondition(body.readableBytes <= ClientHandshake.maxRefusalBody, "a body over the limit")
        case .failed, .needMore: break
        }
    }

    private struct Outcome: Equatable {
        var action: ClientHandshake.Action
        var leftover = ByteBuffer()
    }

    private static func feed(_ pieces: [ByteBuffer]) -> Outcome {
        guard var handshake = handshake() else { preconditionFailure("the request is a good one") }
        for (index, piece) in pieces.enumerated() {
            switch handshake.receive(piece) {
            case .needMore: continue
            case .upgraded(let response, let subprotocol, let extensions, var leftover):
                // The caller gives what comes later to the WebSocket itself.
                for later in pieces[(index + 1)...] { leftover.writeImmutableBuffer(later) }
                let action = ClientHandshake.Action.upgraded(
                    response, subprotocol: subprotocol, extensions: extensions, leftover: ByteBuffer())
                return Outcome(action: action, leftover: leftover)
            case .failed(let failure):
                // How much of a wrong start is shown, and at which byte it is refused, depends on the pieces.
                if case .notHTTP = failure.reason {
                    return Outcome(action: .failed(HandshakeFailure(.notHTTP(start: ""))))
                }
                return Outcome(action: .failed(failure))
            case .refused(let response, let body, let bodyTruncated):
                return Outcome(action: .refused(response, body: body, bodyTruncated: bodyTruncated))
            }
        }
        return Outcome(action: handshake.receiveEOF())
    }

    private static func handshake() -> ClientHandshake? {
        guard let url = try? WebSocketURL("ws://server.example.com/chat") else { return nil }
        return try? ClientHandshake(
            url: url, subprotocols: ["chat"], extensions: ["permessage-deflate; client_max_window_bits"],
            nonce: nonce)
    }

    /// A request to a server: what is accepted is answered by a 101 that a head parser reads, what is not by a
    /// refusal that it reads.
    static func request(_ bytes: ByteBuffer) {
        var bytes = bytes
        var parser = HeadParser(mode: .strict, limits: .serving)
        guard let head = try? parser.parseRequest(&bytes) else { return }
        var answer: ByteBuffer
        var expected: Int
        do throws(ServerHandshakeRefusal) {
            let handshake = try ServerHandshake(head)
            answer = handshake.accept(choosing: { $0.last }).response
            expected = 101
        } catch {
            answer = error.serialize()
            expected = error.status.code
        }
        var answers = HeadParser(mode: .strict, limits: .answer)
        let read = try? answers.parseResponse(&answer)
        precondition(read?.response.status.code == expected, "an answer that cannot be read")
    }
}
