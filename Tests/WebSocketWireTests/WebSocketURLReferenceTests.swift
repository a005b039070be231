import Testing
import WebSocketWire

@Suite("Where a redirect points")
struct WebSocketURLReferenceTests {
    @Test(
        "references are resolved as RFC 3986 §5.4 has it",
        arguments: [
            ("/x", "wss://a.test/x"), ("x", "wss://a.test/b/c/x"), ("./x", "wss://a.test/b/c/x"),
            ("../x", "wss://a.test/b/x"), ("../../x", "wss://a.test/x"), ("../../../../x", "wss://a.test/x"),
            ("..", "wss://a.test/b/"), (".", "wss://a.test/b/c/"), ("?y=2", "wss://a.test/b/c/d?y=2"),
            ("x?y=/../z", "wss://a.test/b/c/x?y=/../z"), ("", "wss://a.test/b/c/d?q=1"),
            ("#here", "wss://a.test/b/c/d?q=1"), ("/x#here", "wss://a.test/x"),
            ("//b.test:8443/x", "wss://b.test:8443/x"), ("ws://b.test", "ws://b.test/"),
            ("https://b.test/x", "wss://b.test/x"), ("HTTP://b.test/x", "ws://b.test/x"),
            ("/a:b", "wss://a.test/a:b"), ("x/../../y/./z", "wss://a.test/b/y/z"),
        ])
    func resolution(reference: String, expected: String) throws {
        let base = try WebSocketURL("wss://a.test/b/c/d?q=1")
        #expect(try base.resolving(reference: reference) == WebSocketURL(expected))
    }

    @Test(
        "what is no WebSocket URL is refused",
        arguments: ["ftp://x/", "mailto:a@b", "//", "wss://127.1/", "/a b", "//a@b@c/"])
    func refused(reference: String) throws {
        let base = try WebSocketURL("ws://a.test/")
        #expect(throws: WebSocketURLError.self) { try base.resolving(reference: reference) }
    }

    @Test("user and password stay with their origin, and are never the server's choice")
    func credentials() throws {
        let base = try WebSocketURL("ws://me:secret@a.test/x")
        for (reference, user) in [
            ("/y", "me"), ("//a.test/y", "me"), ("ws://a.test:80/y", "me"), ("ws://a.test:81/y", nil),
            ("wss://a.test/y", nil), ("//b.test/", nil), ("ws://you:guess@b.test/", nil),
            ("ws://you:guess@a.test/", "me"),
        ] {
            #expect(try base.resolving(reference: reference).userinfo?.user == user, "\(reference)")
        }
    }
}
