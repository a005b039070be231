import HTTPWire
import Testing

@testable import ProxyRoutes

@Suite("Answers of PAC scripts")
struct PACResultTests {
    @Test(
        "are routes in order",
        arguments: [
            ("DIRECT", ["direct"]),
            ("direct ; ", ["direct"]),
            ("PROXY a:8080", ["http://a:8080"]),
            ("PROXY a:8080; DIRECT", ["http://a:8080", "direct"]),
            (
                "PROXY a:1; SOCKS b:2; HTTPS c:3; DIRECT",
                ["http://a:1", "socks4a://b:2", "https://c:3", "direct"]
            ),
            ("SOCKS5 b", ["socks5h://b:1080"]),
            ("SOCKS4 b:9", ["socks4a://b:9"]),
            ("HTTP a; HTTPS c", ["http://a:80", "https://c:443"]),
            ("  proxy\tA.Example.:8080 ;; ", ["http://a.example:8080"]),
            ("PROXY [2001:db8::1]:8080", ["http://[2001:db8::1]:8080"]),
            ("PROXY 10.0.0.1:8080", ["http://10.0.0.1:8080"]),
            ("QUIC q:443; PROXY a:1", ["http://a:1"]),
            ("PROXY; PROXY a:1", ["http://a:1"]),
            ("PROXY a:1 b:2; PROXY c:3", ["http://c:3"]),
            ("PROXY user:pw@a:1; DIRECT", ["direct"]),
        ])
    func routes(text: String, expected: [String]) throws {
        #expect(try PACResult(text).routes.map(\.description) == expected)
    }

    @Test(
        "that name no way are errors, never direct",
        arguments: [
            "", " ; ;", "undefined", "null", "QUIC a:1", "PROXY", "PROXY a:0", "PROXY a:99999", "DIRECT now",
            "\u{1}",
        ])
    func errors(text: String) {
        #expect(throws: PACResultError.self) { try PACResult(text) }
    }

    @Test("parts that are passed over are told, without control characters")
    func ignored() throws {
        #expect(try PACResult("FTP\u{7} x:1; DIRECT").ignored == ["FTP? x:1"])
    }
}

@Suite("The text of PAC scripts")
struct PACTextTests {
    @Test(
        "is decoded as Chromium does",
        arguments: [
            ([0x61], nil, "a"),
            ([0xE4], nil, "ä"),
            ([0xC3, 0xA4], nil, "Ã¤"),
            ([0xEF, 0xBB, 0xBF, 0xC3, 0xA4], nil, "ä"),
            ([0xFE, 0xFF, 0x00, 0xE4], nil, "ä"),
            ([0xFF, 0xFE, 0xE4, 0x00], nil, "ä"),
            ([0xC3, 0xA4], "utf-8", "ä"),
            ([0xC3, 0xA4], "UTF-8", "ä"),
            ([0xC3], "utf-8", "\u{FFFD}"),
            ([0xE4], "iso-8859-1", "ä"),
            ([0xE4, 0x00], "utf-16le", "ä"),
            ([0x61], "x-unknown", nil),
        ] as [([UInt8], String?, String?)])
    func decode(bytes: [UInt8], charset: String?, expected: String?) {
        #expect(PACText.decode(bytes, charset: charset) == expected)
    }
}
