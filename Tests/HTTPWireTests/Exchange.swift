import Foundation
import HTTPTypes
import NIOCore
import Testing

@testable import HTTPWire

/// One exchange of a ``ForwardMachine``, with what went to both sides.
struct Exchange {
    var machine: ForwardMachine
    var toOrigin = ""
    var toClient = ""
    var end: ForwardEnd?
    var failure: ForwardFailure?
    var decisive: ForwardOriginAction?
    var isPaused = false

    static func request(_ text: String) throws -> (ForwardRequest, ByteBuffer) {
        var parser = HeadParser(mode: .strict, limits: .serving)
        var buffer = ByteBuffer(string: text)
        let head = try #require(try parser.parseRequest(&buffer))
        let request = try #require(try ForwardRequest(head, framing: try BodyFraming.of(request: head)))
        return (request, buffer)
    }

    /// Sent and not yet answered.
    init(
        _ text: String, connects: Bool = true, isReused: Bool = false, hop: ForwardHop = .origin,
        inputClosed: Bool = false
    ) throws {
        let (request, early) = try Self.request(text)
        machine = ForwardMachine(
            request, early: early, inputClosed: inputClosed, pseudonym: "me", maxHeld: 64)
        if connects { connect(hop, isReused: isReused) }
    }

    mutating func connect(_ hop: ForwardHop = .origin, isReused: Bool = false) {
        note(machine.originConnected(hop, isReused: isReused))
    }

    mutating func client(_ text: String) { note(machine.receiveFromClient(ByteBuffer(string: text))) }

    mutating func clientCloses() { note(machine.clientClosed()) }

    mutating func origin(_ text: String) {
        note(machine.receiveFromOrigin(ByteBuffer(string: text), now: 784_111_777))
    }

    mutating func originCloses(isClean: Bool = true) { note(machine.originClosed(isClean: isClean)) }

    private mutating func note(_ action: ForwardClientAction) {
        switch action {
        case .needMore: break
        case .pauseReading: isPaused = true
        case .send(let bytes): toOrigin += bytes.text
        case .fail(let failure): self.failure = failure
        }
    }

    private mutating func note(_ action: ForwardOriginAction) {
        switch action {
        case .needMore: break
        case .send(let bytes): toClient += bytes.text
        case .finish(let bytes, let end):
            toClient += bytes.text
            self.end = end
        case .fail(let failure): self.failure = failure
        case .tunnel, .retry, .challenged, .offerIgnored: decisive = action
        }
    }

    var refusal: Rejection? {
        if case .refuse(let rejection, _, _, _) = failure { rejection } else { nil }
    }

    /// What the client got behind its head.
    var body: String {
        toClient.components(separatedBy: "\r\n\r\n").dropFirst().joined(separator: "\r\n\r\n")
    }
    var head: String { toClient.components(separatedBy: "\r\n\r\n")[0] + "\r\n" }
}

let forwardGET = "GET http://a/ HTTP/1.1\r\nHost: a\r\n\r\n"
let forwardPOST = "POST http://a/ HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n"
let forwardChunkedPOST = "POST http://a/ HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
let forwardDate = "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n"
