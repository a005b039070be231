import Foundation
import HTTPTypes
import NIOCore
import Testing

@testable import HTTPWire

@Suite("Forwarding: a parent's challenges") struct ForwardChallengeTests {
    private static let head = "HTTP/1.1 407 Who\r\nProxy-Authenticate: NTLM\r\n"
    private static let ok = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"

    private static func exchange(
        _ request: String = forwardGET, _ hop: ForwardHop = .parent(authorization: nil), answer: String
    ) throws -> [Exchange] {
        try Feeding.cuts(answer).map { packets in
            var exchange = try Exchange(request, hop: hop)
            for packet in packets where exchange.decisive == nil { exchange.origin(packet.text) }
            return exchange
        }
    }

    @Test(
        "its connection carries the answer once the 407 is read to its end, however it is cut",
        arguments: [
            "Content-Length: 4\r\n\r\nwho?", "Content-Length: 0\r\n\r\n",
            "Transfer-Encoding: chunked\r\n\r\n3\r\nwho\r\n1\r\n?\r\n0\r\n\r\n",
        ])
    func kept(rest: String) throws {
        for var exchange in try Self.exchange(answer: Self.head + rest) {
            #expect(exchange.decisive == .challenged(["NTLM"], canRepeat: true, keepsConnection: true))
            #expect(exchange.toClient.isEmpty)
            exchange.toOrigin = ""
            exchange.connect(.parent(authorization: "NTLM eA=="), isReused: true)
            #expect(exchange.toOrigin.hasPrefix("GET http://a/ HTTP/1.1\r\n"))
            #expect(exchange.toOrigin.hasSuffix("Proxy-Authorization: NTLM eA==\r\n\r\n"))
            exchange.origin(Self.ok)
            #expect(exchange.body == "ok" && exchange.end?.origin == .reusable)
        }
    }

    @Test(
        "its connection is given up where the 407 closes it, has no end or no sense",
        arguments: [
            "Connection: close\r\nContent-Length: 4\r\n\r\nwho?", "\r\nwho?",
            "Transfer-Encoding: chunked\r\n\r\nx\r\n",
            "Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\nwho?",
        ])
    func notKept(rest: String) throws {
        for exchange in try Self.exchange(answer: Self.head + rest) {
            #expect(exchange.decisive == .challenged(["NTLM"], canRepeat: true, keepsConnection: false))
        }
    }

    @Test("bytes behind the 407 are no answer to anything") func trailing() throws {
        var exchange = try Exchange(forwardGET, hop: .parent(authorization: nil))
        exchange.origin(Self.head + "Content-Length: 4\r\n\r\nwho?HTTP/1.1 200 OK\r\n")
        #expect(exchange.decisive == .challenged(["NTLM"], canRepeat: true, keepsConnection: false))
    }

    @Test("a 407 that goes on for ever is not read for ever") func endless() throws {
        var exchange = try Exchange(forwardGET, hop: .parent(authorization: nil))
        exchange.origin(Self.head + "Content-Length: 999999999\r\n\r\n")
        let piece = String(repeating: "x", count: 4096)
        for _ in 0..<70 where exchange.decisive == nil { exchange.origin(piece) }
        #expect(exchange.decisive == .challenged(["NTLM"], canRepeat: true, keepsConnection: false))
    }

    @Test("a connection that ends inside the 407 still challenged", arguments: [true, false])
    func cut(isClean: Bool) throws {
        var exchange = try Exchange(forwardGET, hop: .parent(authorization: nil))
        exchange.origin(Self.head + "Content-Length: 4\r\n\r\nwh")
        #expect(exchange.decisive == nil)
        exchange.originCloses(isClean: isClean)
        #expect(exchange.decisive == .challenged(["NTLM"], canRepeat: true, keepsConnection: false))
    }

    @Test("the 407 to HEAD has no body, whatever length it names") func toHead() throws {
        for exchange in try Self.exchange(
            "HEAD http://a/ HTTP/1.1\r\nHost: a\r\n\r\n",
            answer: Self.head + "Content-Length: 400\r\n\r\n")
        {
            #expect(exchange.decisive == .challenged(["NTLM"], canRepeat: true, keepsConnection: true))
        }
    }

    @Test("a sent body goes out again on the same connection, as often as it is challenged") func bodyAgain()
        throws
    {
        var exchange = try Exchange(forwardPOST + "hello", hop: .parent(authorization: nil))
        for value in ["Digest a", "Digest b"] {
            exchange.origin(Self.head + "Content-Length: 0\r\n\r\n")
            #expect(exchange.decisive == .challenged(["NTLM"], canRepeat: true, keepsConnection: true))
            (exchange.decisive, exchange.toOrigin) = (nil, "")
            exchange.connect(.parent(authorization: value), isReused: true)
            #expect(exchange.toOrigin.hasSuffix("\r\nProxy-Authorization: \(value)\r\n\r\nhello"))
        }
        exchange.origin(Self.ok)
        #expect(exchange.end?.keepsClient == true)
    }

    @Test("an offer goes ahead of a body, which waits for the challenge and is sent once")
    func offer() throws {
        let offer = ForwardHop.parentToChallenge(offer: "NTLM b2ZmZXI=")
        for var exchange in try Self.exchange(
            forwardPOST + "he", offer, answer: Self.head + "Content-Length: 400\r\n\r\n")
        {
            #expect(
                exchange.toOrigin
                    == "HEAD http://a/ HTTP/1.1\r\nHost: a\r\nVia: 1.1 me\r\nProxy-Authorization: NTLM b2ZmZXI=\r\n\r\n"
            )
            #expect(!exchange.machine.waitsForClient)
            #expect(exchange.decisive == .challenged(["NTLM"], canRepeat: true, keepsConnection: true))
            exchange.client("l")
            exchange.toOrigin = ""
            exchange.connect(.parent(authorization: "NTLM eA=="), isReused: true)
            #expect(exchange.toOrigin.hasPrefix("POST http://a/ HTTP/1.1\r\n"))
            #expect(exchange.toOrigin.hasSuffix("\r\nProxy-Authorization: NTLM eA==\r\n\r\nhel"))
            exchange.client("lo")
            exchange.origin(Self.ok)
            #expect(exchange.toOrigin.hasSuffix("\r\n\r\nhello") && exchange.end?.keepsClient == true)
        }
    }

    @Test("a request without a body carries the offer itself") func offerInRequest() throws {
        let exchange = try Exchange(forwardGET, hop: .parentToChallenge(offer: "NTLM eA=="))
        #expect(exchange.toOrigin.hasPrefix("GET http://a/ HTTP/1.1\r\n"))
        #expect(exchange.toOrigin.hasSuffix("Proxy-Authorization: NTLM eA==\r\n\r\n"))
    }

    @Test("what a client sends while its offer is out is bounded") func offerHolds() throws {
        var exchange = try Exchange(forwardPOST, hop: .parentToChallenge(offer: "NTLM eA=="))
        exchange.client(String(repeating: "x", count: 65))
        #expect(exchange.isPaused)
        #expect(!exchange.toOrigin.contains("POST"))
    }

    @Test(
        "an offer that the parent takes no notice of is followed by the request",
        arguments: [("", true), ("Connection: close\r\n", false)])
    func offerIgnored(field: String, keeps: Bool) throws {
        let answer = "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n\(field)Content-Length: 9\r\n\r\n"
        for var exchange in try Self.exchange(
            forwardPOST + "hello", .parentToChallenge(offer: "NTLM eA=="), answer: answer)
        {
            #expect(exchange.decisive == .offerIgnored(keepsConnection: keeps))
            #expect(exchange.toClient.isEmpty)
            exchange.toOrigin = ""
            exchange.connect(.parent(authorization: nil), isReused: keeps)
            #expect(exchange.toOrigin.hasSuffix("\r\n\r\nhello") && !exchange.toOrigin.contains("NTLM"))
            exchange.origin(Self.ok)
            #expect(exchange.body == "ok")
        }
    }

    @Test(
        "an offer that nobody answers in HTTP is a 502", arguments: ["", "SSH-2.0-x\r\n\r\n", "HTTP/1.1 4"])
    func offerUnanswered(answer: String) throws {
        var exchange = try Exchange(forwardPOST + "hello", hop: .parentToChallenge(offer: "NTLM eA=="))
        if !answer.isEmpty { exchange.origin(answer) }
        if exchange.failure == nil { exchange.originCloses() }
        #expect(exchange.refusal?.status == 502)
    }
}
