import HTTPWire
import ProxyAuth
import Testing

@testable import ProxyRoutes

@Suite("Proxy URLs")
struct ProxyHopTests {
    @Test(
        "good ones",
        arguments: [
            ("http://proxy.example:3128", "http://proxy.example:3128", nil, nil),
            ("https://proxy.example", "https://proxy.example:443", nil, nil),
            ("http://proxy.example/", "http://proxy.example:80", nil, nil),
            ("HTTP://PROXY.example:80", "http://proxy.example:80", nil, nil),
            ("proxy.example", "http://proxy.example:80", nil, nil),
            ("socks5h://proxy.example", "socks5h://proxy.example:1080", nil, nil),
            ("SOCKS5://alice:secret@[::1]:1081/", "socks5://[::1]:1081", "alice", "secret"),
            ("socks4a://alice@p", "socks4a://p:1080", "alice", ""),
            ("https://p:1?ca=/etc/ca.pem", "https://p:1", nil, nil),
            ("https://alice:se?cret@p:1/?ca=x", "https://p:1", "alice", "se?cret"),
            ("proxy.example:8080", "http://proxy.example:8080", nil, nil),
            ("[::1]:8080", "http://[::1]:8080", nil, nil),
            ("http://[2001:DB8::1]", "http://[2001:db8::1]:80", nil, nil),
            ("http://alice:secret@p:1", "http://p:1", "alice", "secret"),
            ("http://alice@p:1", "http://p:1", "alice", ""),
            ("http://CORP%5Calice:p%40ss%3A%2F@p:1", "http://p:1", "CORP\\alice", "p@ss:/"),
            ("http://alice:p@ss@p:1", "http://p:1", "alice", "p@ss"),
            ("alice:s%C3%A9cret@p:1", "http://p:1", "alice", "sécret"),
        ] as [(String, String, String?, String?)])
    func good(text: String, url: String, user: String?, password: String?) throws {
        let hop = try ProxyHop(text)
        #expect(hop.description == url)
        #expect(hop.credentials?.user == user)
        #expect(hop.credentials?.password == password.map { Secret($0) })
    }

    @Test("an https proxy may have TLS options of its own")
    func tls() throws {
        let hop = try ProxyHop("https://p:1?ca=/a%20b.pem&servername=inner.example&cert=c.pem&key=k.pem")
        let expected = TLSOptions {
            $0.trustRoots = .file("/a b.pem")
            $0.serverName = "inner.example"
            $0.identity = .init(certificateChainFile: "c.pem", privateKeyFile: "k.pem")
        }
        #expect(hop.tls == expected)
        #expect((try ProxyHop("https://p:1")).tls == nil)
    }

    @Test(
        "a query that is not made of TLS options is refused",
        arguments: ["", "ca", "ca=", "ca=x&ca=y", "cert=c", "key=k", "CA=x", "ca=x&", "verify=no", "ca=%zz"])
    func query(text: String) {
        let error = #expect(throws: ProxyURLError.self) { try ProxyHop("https://p:1?\(text)") }
        #expect(error?.reason == .queryNotUnderstood)
    }

    @Test(
        "bad ones are refused without showing the password",
        arguments: [
            "", "http://", "ftp://p:1", "socks://p:1", "socks5://p:1?ca=x", "http://p:0", "http://p:65536",
            "http://p:x",
            "http://p:1/path", "http://p:1?query", "http://hunter2:hunter2@", "http://a:hunter2%zz@p:1",
            "http://a:hunter2%C3@p:1", "http://a:hunter2@p p:1", "http://a:hunter2@127.1:1", "http://p:1#f",
        ])
    func bad(text: String) {
        let error = #expect(throws: ProxyURLError.self) { try ProxyHop(text) }
        #expect(error?.description.contains("hunter2") == false)
        #expect(error?.description.contains("expected http://") == true)
    }
}
