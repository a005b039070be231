import Testing

@testable import CulvertInterop

@Suite("the libcurl that runs")
struct CurlLibraryTests {
    private func library(number: UInt32, bits: [UInt32], protocols: Set<String> = ["http"]) -> CurlLibrary {
        CurlLibrary(
            version: "1.2.3", tls: nil, number: number, bits: bits.reduce(0) { $0 | 1 << $1 },
            protocols: protocols)
    }

    @Test("it names itself, and has what no build goes without")
    func current() {
        let library = CurlLibrary.current
        #expect(library.version.first?.isNumber == true)
        #expect(library.number >= 0x07_3C_00)
        #expect(library.has(.tls))
        #expect(library.has(.proxyProtocol))
        #expect(library.title.hasPrefix("libcurl \(library.version)"))
    }

    @Test("WebSocket functions are there exactly where the library says that it speaks ws")
    func webSocket() {
        #expect((CurlWebSocketFunctions.current != nil) == CurlLibrary.current.has(.webSocket))
        #expect((LibcurlWebSocketClient.absence == nil) == CurlLibrary.current.has(.webSocket))
    }

    @Test("features come from version, bits and protocols")
    func features() {
        let old = self.library(number: 0x07_58_01, bits: [2, 16, 21])
        #expect(old.has(.http2))
        #expect(old.has(.httpsProxy))
        #expect(!old.has(.http2Proxy))
        #expect(!old.has(.webSocket))
        #expect(!old.has(.ntlm))
        let new = self.library(number: 0x08_0E_01, bits: [4, 8, 16, 17, 21], protocols: ["http", "ws"])
        #expect(new.has(.http2Proxy))
        #expect(new.has(.webSocket))
        #expect(new.has(.ntlm))
        #expect(new.has(.negotiate))
        #expect(!self.library(number: 0x08_0E_01, bits: [16]).has(.http2Proxy))
    }

    @Test("a lack is told with the version")
    func lack() {
        let library = self.library(number: 0x07_58_01, bits: [])
        #expect(library.lack(of: .webSocket) == "libcurl 1.2.3 has no WebSocket")
        #expect(library.lack(of: .proxyProtocol) == nil)
    }
}

@Suite("a proxy of libcurl's")
struct CurlProxyTests {
    @Test("its URL names the scheme; IPv6 stands in brackets")
    func url() {
        #expect(CurlProxy(.https2, host: "localhost", port: 443).url == "https://localhost:443")
        #expect(CurlProxy(.socks5h, host: "::1", port: 1080).url == "socks5h://[::1]:1080")
    }

    @Test("credentials are encoded where they have to be in the URL")
    func credentials() {
        let proxy = CurlProxy(.socks5h, host: "h", port: 1, user: "a:b", password: "c@d/é")
        #expect(proxy.urlWithCredentials == "socks5h://a%3Ab:c%40d%2F%C3%A9@h:1")
        #expect(CurlProxy(.http, host: "h", port: 1).urlWithCredentials == "http://h:1")
    }

    @Test("no text made of it shows the password")
    func redaction() {
        let proxy = CurlProxy(.http, host: "h", port: 1, user: "alice", password: "hunter2")
        var dumped = ""
        dump(proxy, to: &dumped)
        #expect(!"\(proxy)\(String(reflecting: proxy))\(dumped)".contains("hunter2"))
    }
}
