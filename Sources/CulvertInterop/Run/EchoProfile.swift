import Foundation

/// What an echo server speaks on top of WebSocket. All but `echo` carry text only.
package enum EchoProfile: String, Decodable, Sendable, Hashable, CaseIterable {
    /// A message comes back as it went.
    case echo
    /// SockJS over its `/websocket` endpoint: `o`, `a["…"]`, `h`, `c[…]` from the server, `["…"]` from the client.
    case sockjs
    /// Socket.IO: Engine.IO 4 over WebSocket, an event `echo` in the default namespace.
    case socketio
    /// The Pusher protocol, version 7: a client event on a subscribed channel.
    case pusher

    /// What a message of the server means.
    enum Received: Equatable {
        case text(String)
        /// Housekeeping; goes on after the answer, if there is one.
        case housekeeping(answer: String?)
        /// It refuses to go on.
        case refusal(String)
    }

    /// What is exchanged before the first echo.
    var greeting: [Step] {
        switch self {
        case .echo: []
        case .sockjs: [.await("o")]
        case .socketio: [.await("0{"), .send("40"), .await("40{")]
        case .pusher:
            [
                .await("pusher:connection_established"),
                .send(#"{"event":"pusher:subscribe","data":{"channel":"\#(Self.channel)"}}"#),
                .await("pusher_internal:subscription_succeeded"),
                .send(#"{"event":"pusher:ping","data":{}}"#), .await("pusher:pong"),
            ]
        }
    }

    /// A step of the greeting.
    enum Step: Equatable {
        case send(String)
        /// A text that begins with this, or is an event of this name.
        case await(String)
    }

    private static let channel = "private-culvert"

    /// A text as it goes to the server.
    func encode(_ text: String) -> String {
        switch self {
        case .echo: text
        case .sockjs: Self.json([text])
        case .socketio: "42" + Self.json(["echo", text])
        case .pusher:
            Self.json(["event": "client-echo", "channel": Self.channel, "data": text])
        }
    }

    func decode(_ received: String) -> Received {
        switch self {
        case .echo: .text(received)
        case .sockjs: Self.decodeSockJS(received)
        case .socketio: Self.decodeSocketIO(received)
        case .pusher: Self.decodePusher(received)
        }
    }

    /// Whether the message is what the greeting waits for.
    func matches(_ received: String, _ awaited: String) -> Bool {
        switch self {
        case .echo, .sockjs, .socketio: received.hasPrefix(awaited)
        case .pusher: (Self.parse(received) as? [String: Any])?["event"] as? String == awaited
        }
    }

    private static func decodeSockJS(_ received: String) -> Received {
        switch received.first {
        case "a", "m":
            let payload = self.parse(String(received.dropFirst()))
            if let texts = payload as? [String], texts.count == 1 { return .text(texts[0]) }
            if let text = payload as? String { return .text(text) }
            return .refusal("not a SockJS array of one text: \(received.prefix(60))")
        case "h": return .housekeeping(answer: nil)
        default: return .refusal(String(received.prefix(200)))
        }
    }

    private static func decodeSocketIO(_ received: String) -> Received {
        if received == "2" { return .housekeeping(answer: "3") }
        guard received.hasPrefix("42"),
            let event = self.parse(String(received.dropFirst(2))) as? [String],
            event.count == 2, event[0] == "echo"
        else { return .refusal("not the echo event: \(received.prefix(60))") }
        return .text(event[1])
    }

    private static func decodePusher(_ received: String) -> Received {
        guard let event = self.parse(received) as? [String: Any], let name = event["event"] as? String else {
            return .refusal("not a Pusher event: \(received.prefix(60))")
        }
        switch name {
        case "client-echo":
            guard let text = event["data"] as? String else { return .refusal("an event without data") }
            return .text(text)
        case "pusher:ping": return .housekeeping(answer: #"{"event":"pusher:pong","data":{}}"#)
        case "pusher:error": return .refusal(String(received.prefix(200)))
        default: return .housekeeping(answer: nil)
        }
    }

    private static func json(_ value: some Encodable) -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.withoutEscapingSlashes, .sortedKeys]
        // Strings always encode.
        return (try? encoder.encode(value)).map { String(decoding: $0, as: UTF8.self) } ?? "[]"
    }

    private static func parse(_ text: String) -> Any? {
        try? JSONSerialization.jsonObject(with: Data(text.utf8), options: .fragmentsAllowed)
    }
}
