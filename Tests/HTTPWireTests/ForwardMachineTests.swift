import Foundation
import HTTPTypes
import NIOCore
import Testing

@testable import HTTPWire

@Suite("Forwarding: connections") struct ForwardConnectionTests {
    @Test("a reused connection that closes untouched under a repeatable request is tried again") func retry()
        throws
    {
        for isClean in [true, false] {
            var exchange = try Exchange(forwardGET, isReused: true)
            exchange.originCloses(isClean: isClean)
            #expect(exchange.decisive == .retry)
            let sent = exchange.toOrigin
            exchange.connect()
            #expect(exchange.toOrigin == sent + sent)
            exchange.originCloses()
            #expect(exchange.refusal?.status == 502)
        }
    }

    @Test(
        "nothing else is tried again",
        arguments: [(forwardGET, false, ""), (forwardGET, true, "H"), (forwardPOST + "hello", true, "")])
    func noRetry(request: String, isReused: Bool, answer: String) throws {
        var exchange = try Exchange(request, isReused: isReused)
        if !answer.isEmpty { exchange.origin(answer) }
        exchange.originCloses()
        #expect(exchange.decisive == nil)
        #expect(exchange.refusal?.status == 502)
    }

    @Test("a real 101 makes a tunnel, and no byte is lost on either side") func upgrade() throws {
        let request =
            "GET http://a/ HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\nearly"
        var exchange = try Exchange(request)
        #expect(!exchange.toOrigin.contains("early"))
        exchange.origin(
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: WebSocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: x\r\n\r\nfirst"
        )
        guard case .tunnel(let response, let fromClient, let fromOrigin, false) = exchange.decisive else {
            Issue.record("no tunnel")
            return
        }
        #expect(
            response.text
                == "HTTP/1.1 101 Switching Protocols\r\nSec-WebSocket-Accept: x\r\nVia: 1.1 me\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n"
        )
        #expect(fromClient.text == "early")
        #expect(fromOrigin.text == "first")
    }

    @Test("an upgrade that the origin declines stays HTTP; one to something else is a 502")
    func declinedUpgrade() throws {
        let request =
            "GET http://a/ HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n"
            + forwardGET
        var declined = try Exchange(request)
        declined.origin("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
        #expect(declined.end?.leftover.text == forwardGET)
        var other = try Exchange(request)
        other.origin("HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\nConnection: Upgrade\r\n\r\n")
        #expect(other.refusal?.error == .upgradeFailed)
    }

    @Test("a parent's 407 never reaches the client, an origin's own does") func challenge() throws {
        let answer = "HTTP/1.1 407 Who\r\nProxy-Authenticate: Basic realm=x\r\nContent-Length: 0\r\n\r\n"
        var parent = try Exchange(forwardGET, hop: .parent(authorization: nil))
        #expect(parent.toOrigin.hasPrefix("GET http://a/ HTTP/1.1\r\n"))
        parent.origin(answer)
        #expect(parent.decisive == .challenged(["Basic realm=x"], canRepeat: true, keepsConnection: true))
        parent.connect(.parent(authorization: "Basic eA=="))
        #expect(parent.toOrigin.contains("Proxy-Authorization: Basic eA==\r\n"))
        parent.origin("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
        #expect(parent.end != nil)
        #expect(!parent.toClient.contains("407"))

        var origin = try Exchange(forwardGET)
        origin.origin(answer)
        #expect(
            origin.toClient.hasPrefix("HTTP/1.1 407 Who\r\n") && !origin.toClient.contains("Authenticate"))
    }

    @Test("a body that a parent challenges goes out again as long as it is remembered", arguments: [5, 100])
    func challengedBody(size: Int) throws {
        let answer = "HTTP/1.1 407 Who\r\nProxy-Authenticate: Basic realm=x\r\nContent-Length: 0\r\n\r\n"
        let start = String(repeating: "a", count: size)
        var exchange = try Exchange(
            "POST http://a/ HTTP/1.1\r\nHost: a\r\nContent-Length: \(size + 1)\r\n\r\n\(start)",
            hop: .parent(authorization: nil))
        exchange.origin(answer)
        // The exchange of the tests remembers 64 octets.
        #expect(
            exchange.decisive
                == .challenged(["Basic realm=x"], canRepeat: size <= 64, keepsConnection: false))
        guard size <= 64 else { return }
        exchange.client("b")
        exchange.toOrigin = ""
        exchange.connect(.parent(authorization: "Basic eA=="))
        #expect(exchange.toOrigin.hasSuffix("\r\nProxy-Authorization: Basic eA==\r\n\r\n\(start)b"))
        exchange.origin("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
        #expect(exchange.end?.keepsClient == true)
    }

    @Test("a limit that runs out is answered before the head, and cuts behind it") func limits() throws {
        var slow = try Exchange(forwardPOST)
        #expect(slow.machine.waitsForClient)
        guard case .refuse(_, _, _, mayPersist: false) = slow.machine.failed(.slowBody) else {
            Issue.record("a body is still under way")
            return
        }
        var begun = try Exchange(forwardGET)
        begun.origin("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n")
        #expect(begun.machine.failed(.slowAnswer) == .cut(reason: "slow answer", byReset: false))
    }
}
