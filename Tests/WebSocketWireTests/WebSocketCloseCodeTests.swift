import NIOCore
import Testing
import WebSocketWire

@Suite("Close codes")
struct WebSocketCloseCodeTests {
    @Test(
        "what may stand in a close frame",
        arguments: [
            (0, false), (999, false), (1000, true), (1001, true), (1002, true), (1003, true), (1004, false),
            (1005, false), (1006, false), (1007, true), (1008, true), (1009, true), (1010, true),
            (1011, true),
            (1012, true), (1013, true), (1014, true), (1015, false), (1016, false), (1100, false),
            (2000, false),
            (2999, false), (3000, true), (3999, true), (4000, true), (4999, true), (5000, false),
            (65_535, false),
        ] as [(UInt16, Bool)])
    func mayBeSent(number: UInt16, expected: Bool) throws {
        let code = WebSocketCloseCode(rawValue: number)
        #expect(code.mayBeSent == expected)

        var sender = Wire.machine(.client)
        var written = Outcome()
        if expected {
            try sender.sendClose(code, outbound: &written.outbound)
            #expect(sender.closeSent)
        } else {
            #expect(throws: WebSocketSendError.invalidCloseCode(code)) {
                try sender.sendClose(code, outbound: &written.outbound)
            }
            #expect(sender.isOpen)
            #expect(written.outbound.readableBytes == 0)
        }

        var receiver = Wire.machine(.client)
        let outcome = receiver.feed(Wire.frame(0x88, [UInt8(number >> 8), UInt8(number & 0xFF)]))
        if expected {
            #expect(outcome.actions == [.closing(WebSocketClose(code: code))])
        } else {
            #expect(outcome.actions == [.failed(.violation("close code \(number) may not be sent"))])
        }
    }

    @Test("a known code says its name, an unknown one its number")
    func names() {
        #expect(WebSocketCloseCode.goingAway.description == "1001 going away")
        #expect(WebSocketCloseCode.tlsHandshake.description == "1015 TLS handshake failed")
        #expect(WebSocketCloseCode(rawValue: 4242).description == "4242")
        #expect(WebSocketClose(code: .goingAway, reason: "a\nb").description == #"1001 going away: "a\nb""#)
        let named = (1000...1015).filter { $0 != 1004 }.map {
            WebSocketCloseCode(rawValue: UInt16($0)).description
        }
        #expect(named.allSatisfy { $0.count > 5 })
    }
}
