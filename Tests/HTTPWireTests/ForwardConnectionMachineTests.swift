import Foundation
import HTTPTypes
import NIOCore
import Testing

@testable import HTTPWire

@Suite("Forwarding: the client's connection") struct ForwardConnectionMachineTests {
    typealias Action = ConnectServerMachine.Action

    private static func start(_ text: String) throws -> (ConnectServerMachine, Action) {
        var machine = ConnectServerMachine(requiresAuthentication: false, pseudonym: "me")
        let action = machine.receive(ByteBuffer(string: text))
        guard case .authorise = action else { return (machine, action) }
        let next = machine.authorised()
        return (machine, next)
    }

    @Test("pipelined requests come one after the other") func pipelined() throws {
        let second = "GET http://b/2 HTTP/1.1\r\nHost: b\r\n\r\n"
        var (machine, action) = try Self.start(forwardGET + second)
        guard case .forward(let request, let early, inputClosed: false) = action else {
            Issue.record("\(action)")
            return
        }
        #expect(request.target.authority.description == "a:80")
        #expect(early.text == second)
        action = machine.exchangeEnded(leftover: early, inputClosed: true, keepsConnection: true)
        guard case .authorise(let authority, let head) = action else {
            Issue.record("\(action)")
            return
        }
        #expect(authority.description == "b:80" && head.target == "http://b/2")
        guard case .forward(_, _, inputClosed: true) = machine.authorised() else {
            Issue.record("the FIN was forgotten")
            return
        }
        #expect(
            machine.exchangeEnded(leftover: ByteBuffer(), inputClosed: true, keepsConnection: true) == .linger
        )
    }

    @Test("a connection that ends lingers, and parses nothing more") func ends() throws {
        var (machine, _) = try Self.start(forwardGET)
        #expect(
            machine.exchangeEnded(leftover: ByteBuffer(), inputClosed: false, keepsConnection: false)
                == .linger)
        #expect(machine.receive(ByteBuffer(string: forwardGET)) == .needMore)
    }

    @Test("a refused request keeps the connection and what came behind it", arguments: [true, false])
    func refused(atPolicy: Bool) throws {
        var machine = ConnectServerMachine(requiresAuthentication: false, pseudonym: "me")
        _ = machine.receive(ByteBuffer(string: forwardGET + forwardGET))
        let rejection = Rejection(status: 403, reason: "rule", text: "no")
        var action: Action
        if atPolicy {
            action = machine.denied(rejection)
        } else {
            guard case .forward(_, let early, _) = machine.authorised() else { return }
            action = machine.exchangeRefused(rejection, leftover: early, inputClosed: false, mayPersist: true)
        }
        guard case .reject(let response, rejection, then: .keepAlive) = action else {
            Issue.record("\(action)")
            return
        }
        #expect(response.text.contains("\r\nProxy-Status: me; error=http_request_denied\r\n"))
        action = machine.refusalSent(inputClosed: false)
        guard case .authorise = action else {
            Issue.record("the next request is lost")
            return
        }
    }

    @Test("a refused request with a body closes: what follows is no request") func refusedBody() {
        var machine = ConnectServerMachine(requiresAuthentication: false, pseudonym: "me")
        _ = machine.receive(ByteBuffer(string: forwardPOST + forwardGET))
        guard
            case .reject(_, _, then: .close) = machine.denied(
                Rejection(status: 403, reason: "rule", text: "no"))
        else {
            Issue.record("kept alive")
            return
        }
    }

    @Test(
        "a request that came through here before is a loop, whatever its form",
        arguments: [
            "GET http://a/ HTTP/1.1\r\nHost: a\r\nVia: 1.1 other, 1.0 ME (x)\r\n\r\n",
            "GET http://a/ HTTP/1.1\r\nHost: a\r\nVia: HTTP/1.1 me\r\nConnection: Via\r\n\r\n",
            "CONNECT a:1 HTTP/1.1\r\nHost: a\r\nVia: 1.1 x\r\nVia: 1.1 me\r\n\r\n",
        ])
    func loop(text: String) throws {
        let (_, action) = try Self.start(text)
        #expect(ConnectServerMachineTests.status(action) == 508)
        guard case .reject(let response, _, _) = action else { return }
        #expect(response.text.contains("\r\nProxy-Status: me; error=proxy_loop_detected\r\n"))
    }

    @Test("other proxies in Via are no loop", arguments: ["1.1 mee", "1.1 x (me)", "me 1.1", "1.1 you"])
    func noLoop(via: String) throws {
        let (_, action) = try Self.start("GET http://a/ HTTP/1.1\r\nHost: a\r\nVia: \(via)\r\n\r\n")
        guard case .forward = action else {
            Issue.record("\(action)")
            return
        }
    }

    @Test("TRACE and OPTIONS that may go no further are answered here") func maxForwards() throws {
        let (_, trace) = try Self.start(
            "TRACE http://a/ HTTP/1.1\r\nHost: a\r\nMax-Forwards: 0\r\nCookie: secret\r\nX-A: 1\r\n\r\n")
        guard case .reject(let response, _, then: .keepAlive) = trace else {
            Issue.record("\(trace)")
            return
        }
        #expect(response.text.hasPrefix("HTTP/1.1 200 OK\r\n"))
        #expect(response.text.contains("\r\nContent-Type: message/http\r\n"))
        #expect(
            response.text.hasSuffix(
                "\r\n\r\nTRACE http://a/ HTTP/1.1\r\nHost: a\r\nMax-Forwards: 0\r\nX-A: 1\r\n\r\n"))
        let (_, options) = try Self.start("OPTIONS http://a HTTP/1.1\r\nHost: a\r\nMax-Forwards: 0\r\n\r\n")
        guard case .reject(let allowed, _, then: .keepAlive) = options else {
            Issue.record("\(options)")
            return
        }
        #expect(allowed.text.contains("\r\nAllow: GET, "))
    }

    @Test("a proxy that does not forward says 501") func disabled() {
        var machine = ConnectServerMachine(requiresAuthentication: false, forwards: false)
        #expect(ConnectServerMachineTests.status(machine.receive(ByteBuffer(string: forwardGET))) == 501)
    }
}
