import Foundation
import HTTPTypes
import NIOCore
import Testing

@testable import HTTPWire

@Suite("Forwarding: requests") struct ForwardUploadTests {
    @Test("a body passes however it is cut, and what follows it waits for its turn") func body() throws {
        for packets in Feeding.cuts("hello" + forwardGET) {
            var exchange = try Exchange(forwardPOST)
            for packet in packets { exchange.client(packet.text) }
            #expect(
                exchange.toOrigin
                    == "POST / HTTP/1.1\r\nHost: a\r\nVia: 1.1 me\r\nContent-Length: 5\r\n\r\nhello")
            exchange.origin("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
            #expect(exchange.end?.leftover.text == forwardGET)
            #expect(exchange.end?.keepsClient == true)
        }
    }

    @Test("chunks are framed anew: no extension and no forbidden trailer passes") func chunks() throws {
        var exchange = try Exchange(
            forwardChunkedPOST + "3;a=\"b\"\r\nabc\r\n0\r\nX-T: 1\r\nContent-Length: 7\r\n\r\n" + forwardGET)
        exchange.origin("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
        #expect(
            exchange.toOrigin.hasSuffix(
                "\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nX-T: 1\r\n\r\n"))
        #expect(exchange.end?.leftover.text == forwardGET)
    }

    @Test(
        "malformed chunks are a 400 that closes",
        arguments: [
            "-1\r\n", "1 \r\nx\r\n", "0x1\r\n", "FFFFFFFFFFFFFFFFF\r\n", "1;=\r\n", "1\nx\n", "1\r\nxy\r\n",
            "\r\n",
            "0\r\nX : y\r\n\r\n", "0\r\n folded\r\n\r\n", "1;" + String(repeating: "a", count: 300) + "\r\n",
        ])
    func malformedChunks(chunks: String) throws {
        var exchange = try Exchange(forwardChunkedPOST)
        exchange.client(chunks)
        guard case .refuse(let rejection, _, _, mayPersist: false) = exchange.failure else {
            Issue.record("\(String(describing: exchange.failure))")
            return
        }
        #expect(rejection.status == 400)
    }

    @Test("a body that is malformed and came with its head is refused before the origin hears anything")
    func malformedWithHead() throws {
        // Found by the fuzzer: byte by byte the same head has gone out before its trailer goes wrong.
        let body = "3;x=y\r\nabc\r\n0\r\nX-T\u{5}01\r\n"
        let whole = try Exchange(forwardChunkedPOST + body)
        #expect(whole.refusal?.status == 400)
        #expect(whole.toOrigin.isEmpty)
        var drip = try Exchange(forwardChunkedPOST)
        for byte in body.utf8 where drip.failure == nil {
            drip.client(String(decoding: [byte], as: UTF8.self))
        }
        #expect(drip.refusal?.status == 400)
        #expect(drip.toOrigin.hasSuffix("\r\n\r\n1\r\na\r\n1\r\nb\r\n1\r\nc\r\n"))
    }

    @Test("what comes before the connection stands is held within its bound, and not lost") func held() throws
    {
        var exchange = try Exchange(forwardPOST + "he", connects: false)
        exchange.client("llo")
        #expect(!exchange.isPaused)
        exchange.client(String(repeating: "x", count: 100))
        #expect(exchange.isPaused)
        exchange.connect()
        #expect(exchange.toOrigin.hasSuffix("\r\n\r\nhello"))
        exchange.origin("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
        #expect(exchange.end?.leftover.readableBytes == 100)
    }

    @Test("100-continue is the origin's to say") func expectation() throws {
        let head = "POST http://a/ HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n"
        var exchange = try Exchange(head)
        #expect(exchange.toClient.isEmpty)
        #expect(!exchange.machine.waitsForClient)
        exchange.origin("HTTP/1.1 100 Continue\r\n\r\n")
        #expect(exchange.toClient == "HTTP/1.1 100 Continue\r\n\r\n")
        #expect(exchange.machine.waitsForClient)
        exchange.client("hello")
        exchange.origin("HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n")
        #expect(exchange.end?.keepsClient == true)
        #expect(exchange.toOrigin.hasSuffix("\r\n\r\nhello"))
    }

    @Test(
        "an early final status passes on, and the connection closes behind it",
        arguments: [
            "Expect: 100-continue\r\n", "",
        ])
    func earlyAnswer(fields: String) throws {
        var exchange = try Exchange(
            "POST http://a/ HTTP/1.1\r\nHost: a\r\n\(fields)Content-Length: 5\r\n\r\n")
        exchange.origin("HTTP/1.1 413 Too Large\r\nContent-Length: 2\r\n\r\nno")
        #expect(exchange.head.hasPrefix("HTTP/1.1 413 Too Large\r\n"))
        #expect(exchange.head.contains("\r\nConnection: close\r\n"))
        #expect(exchange.end?.keepsClient == false)
        #expect(exchange.end?.origin == .close)
    }

    @Test("both bodies can flow at once") func duplex() throws {
        var exchange = try Exchange(forwardChunkedPOST)
        exchange.client("1\r\na\r\n")
        exchange.origin("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n")
        exchange.client("1\r\nb\r\n0\r\n\r\n")
        exchange.origin("1\r\nb\r\n0\r\n\r\n")
        #expect(exchange.body == "1\r\na\r\n1\r\nb\r\n0\r\n\r\n")
        #expect(exchange.toOrigin.hasSuffix("1\r\na\r\n1\r\nb\r\n0\r\n\r\n"))
        #expect(exchange.end != nil)
    }

    @Test("a FIN behind the request is no end of the exchange; one inside the body is a 400")
    func clientCloses() throws {
        var whole = try Exchange(forwardGET)
        whole.clientCloses()
        whole.origin("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
        #expect(whole.end?.inputClosed == true)
        for connects in [true, false] {
            var cut = try Exchange(forwardPOST + "he", connects: connects)
            cut.clientCloses()
            #expect(cut.refusal?.status == 400)
        }
        let late = try Exchange(forwardPOST + "he", inputClosed: true)
        #expect(late.refusal?.status == 400)
    }
}
