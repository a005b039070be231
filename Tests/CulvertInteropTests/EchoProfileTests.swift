import Testing

@testable import CulvertInterop

@Suite("profiles of echo servers")
struct EchoProfileTests {
    @Test(
        "a text comes back out of what goes to the server",
        arguments: EchoProfile.allCases, ["", "a \"b\" \\ /", "Grüße 👋\n\u{1}"])
    func roundTrip(profile: EchoProfile, text: String) {
        let sent = profile.encode(text)
        // What the server makes of it.
        let echoed =
            switch profile {
            case .sockjs: "a" + sent
            case .echo, .socketio, .pusher: sent
            }
        #expect(profile.decode(echoed) == .text(text))
    }

    @Test("housekeeping is answered and skipped")
    func housekeeping() {
        #expect(EchoProfile.sockjs.decode("h") == .housekeeping(answer: nil))
        #expect(EchoProfile.socketio.decode("2") == .housekeeping(answer: "3"))
        #expect(
            EchoProfile.pusher.decode(#"{"event":"pusher:ping"}"#)
                == .housekeeping(answer: #"{"event":"pusher:pong","data":{}}"#))
    }

    @Test(
        "a refusal is one",
        arguments: [
            (EchoProfile.sockjs, #"c[3000,"Go away!"]"#), (.sockjs, "a[1]"), (.socketio, "44{}"),
            (.socketio, #"42["other","x"]"#), (.pusher, #"{"event":"pusher:error","data":{"code":4001}}"#),
            (.pusher, "not JSON"),
        ])
    func refusal(profile: EchoProfile, received: String) {
        guard case .refusal = profile.decode(received) else {
            Issue.record("\(profile.decode(received))")
            return
        }
    }

    @Test("the greeting waits for the right event")
    func greeting() {
        #expect(EchoProfile.socketio.matches(#"0{"sid":"x"}"#, "0{"))
        #expect(!EchoProfile.socketio.matches("40", "0{"))
        let name = "pusher:connection_established"
        #expect(EchoProfile.pusher.matches(#"{"event":"pusher:connection_established","data":"{}"}"#, name))
        #expect(
            !EchoProfile.pusher.matches(#"{"event":"pusher:error","data":"connection_established"}"#, name))
    }
}
