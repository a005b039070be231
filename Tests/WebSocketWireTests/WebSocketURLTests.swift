import HTTPWire
import Testing
import WebSocketWire

@Suite("WebSocket URLs")
struct WebSocketURLTests {
    struct Good: Sendable {
        var text: String
        var isSecure: Bool
        var host: String
        var port: UInt16
        var resource: String
        var hostField: String
    }

    @Test(
        "good ones",
        arguments: [
            Good(
                text: "ws://example.com", isSecure: false, host: "example.com", port: 80, resource: "/",
                hostField: "example.com"),
            Good(
                text: "wss://example.com", isSecure: true, host: "example.com", port: 443, resource: "/",
                hostField: "example.com"),
            Good(
                text: "WSS://Example.COM./A/b?c=D", isSecure: true, host: "example.com", port: 443,
                resource: "/A/b?c=D", hostField: "example.com"),
            Good(
                text: "http://a.test:443/", isSecure: false, host: "a.test", port: 443, resource: "/",
                hostField: "a.test:443"),
            Good(
                text: "https://a.test:80/x", isSecure: true, host: "a.test", port: 80, resource: "/x",
                hostField: "a.test:80"),
            Good(
                text: "ws://a.test:80/x", isSecure: false, host: "a.test", port: 80, resource: "/x",
                hostField: "a.test"),
            Good(
                text: "wss://a.test?q=1/2@3:4", isSecure: true, host: "a.test", port: 443,
                resource: "/?q=1/2@3:4", hostField: "a.test"),
            Good(
                text: "ws://[2001:DB8:0::5]:9000/é?ü[]=%C3%BC", isSecure: false, host: "[2001:db8::5]",
                port: 9000, resource: "/%C3%A9?%C3%BC[]=%C3%BC", hostField: "[2001:db8::5]:9000"),
            Good(
                text: "ws://127.0.0.1:8080/socket.io/?EIO=4", isSecure: false, host: "127.0.0.1", port: 8080,
                resource: "/socket.io/?EIO=4", hostField: "127.0.0.1:8080"),
            Good(
                text: "ws://me:secret@a.test/p@q", isSecure: false, host: "a.test", port: 80,
                resource: "/p@q", hostField: "a.test"),
        ])
    func good(url: Good) throws {
        let parsed = try WebSocketURL(url.text)
        #expect(parsed.isSecure == url.isSecure)
        #expect(parsed.authority.bracketedHost == url.host)
        #expect(parsed.authority.port == url.port)
        #expect(parsed.resource == url.resource)
        #expect(parsed.hostField == url.hostField)
        #expect(try WebSocketURL(Substring(url.text)) == parsed)
    }

    @Test(
        "bad ones",
        arguments: [
            ("", .scheme), ("example.com", .scheme), ("//example.com", .scheme), ("ws:/a", .scheme),
            ("ws:a", .scheme),
            ("ftp://a", .scheme), ("://a", .scheme), ("wsss://a", .scheme), ("a.test/ws://b", .scheme),
            ("ws://a/#", .fragment), ("ws://a#b", .fragment), ("ws://a/?q#b", .fragment),
            ("ws://a/b c", .character), (" ws://a", .character), ("ws://a\n", .character),
            ("ws://a/\u{7F}", .character),
            ("ws://a/\r\nX: y", .character), ("ws://a/\0", .character), ("ws://a/<b>", .character),
            ("ws://a/b\\c", .character), ("ws://a/{b}", .character), ("ws://a/?q=\"", .character),
            ("ws://a/%", .percentEncoding), ("ws://a/%2", .percentEncoding), ("ws://a/%2g", .percentEncoding),
            ("ws://a/?%", .percentEncoding),
            ("ws://me:%zz@a/", .userinfo), ("ws://a@b@c/", .userinfo), ("ws://a%3Ab:c@d/", .userinfo),
            ("ws://a:%0d%0a@d/", .userinfo), ("ws://a:%ff@d/", .userinfo),
        ] as [(String, WebSocketURLError.Reason)])
    func bad(text: String, reason: WebSocketURLError.Reason) {
        let error = #expect(throws: WebSocketURLError.self) { try WebSocketURL(text) }
        #expect(error?.reason == reason)
        #expect(error?.description.isEmpty == false)
    }

    @Test(
        "a bad host or port is the authority's error",
        arguments: [
            "ws://", "ws:///x", "ws://:80/", "ws://a:0/", "ws://a:65536/", "ws://a:+80/", "ws://[::1/",
            "ws://0177.0.0.1/", "ws://me@/", "ws://a%2eb/", "ws://a\\b/",
        ])
    func badAuthority(text: String) {
        let error = #expect(throws: WebSocketURLError.self) { try WebSocketURL(text) }
        guard case .authority = error?.reason else {
            Issue.record("\(String(describing: error))")
            return
        }
    }

    @Test(
        "user and password are percent-decoded and never shown",
        arguments: [
            ("ws://me:p%40ss%3Aword@a/", "me", "p@ss:word"), ("ws://me@a/", "me", ""),
            ("ws://:tok@a/", "", "tok"),
            ("ws://a%40b:c:d@a/", "a@b", "c:d"), ("ws://%C3%BC:%F0%9F%A6%86@a/", "ü", "🦆"),
        ])
    func userinfo(text: String, user: String, password: String) throws {
        let url = try WebSocketURL(text)
        #expect(url.userinfo?.user == user)
        #expect(url.userinfo?.password == password)
        #expect(url.description == "ws://<redacted>@a/")
        #expect("\(url)" == url.description)
    }

    @Test(
        "a description is a URL again when there is nothing to hide",
        arguments: ["wss://a.test/x?y", "ws://[::1]:8080/", "ws://@a.test/"])
    func description(text: String) throws {
        let url = try WebSocketURL(text)
        #expect(url.userinfo == nil)
        #expect(try WebSocketURL(url.description) == url)
    }

    @Test("neither dump nor reflection shows the password")
    func reflection() throws {
        let url = try WebSocketURL("wss://alice:hunter2@a.test/")
        var text = ""
        dump(url, to: &text)
        #expect(!text.contains("hunter2"))
        #expect(!String(reflecting: url).contains("hunter2"))
    }
}
