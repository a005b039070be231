import Testing

@testable import HTTPWire

@Suite struct AuthorityTests {
    @Test(
        "an authority is normalised once",
        arguments: [
            ("example.com:443", "example.com:443"), ("EXAMPLE.com:443", "example.com:443"),
            ("example.com.:443", "example.com:443"), ("a_b.example:1", "a_b.example:1"),
            ("localhost:65535", "localhost:65535"), ("192.0.2.1:80", "192.0.2.1:80"),
            ("192.0.2.1.:80", "192.0.2.1:80"), ("[::1]:443", "[::1]:443"),
            ("[2001:DB8:0:0::5]:443", "[2001:db8::5]:443"), ("[::ffff:127.0.0.1]:1", "[::ffff:127.0.0.1]:1"),
            ("r3---sn-4g5e6nez.example:443", "r3---sn-4g5e6nez.example:443"), ("1.2.3.4x:5", "1.2.3.4x:5"),
            ("3com.com:80", "3com.com:80"), ("0x7g:80", "0x7g:80"), ("a.b-.c:9", "a.b-.c:9"),
            ("example.com:0443", "example.com:443"),
            ("xn--bcher-kva.example:443", "xn--bcher-kva.example:443"),
            ("XN--BCHER-KVA.example:443", "xn--bcher-kva.example:443"),
        ])
    func normalised(text: String, expected: String) throws {
        let authority = try Authority(text)
        #expect(authority.description == expected)
        #expect(try Authority(authority.description) == authority)
        #expect(try Authority(host: authority.hostDescription, port: Int(authority.port)) == authority)
        #expect(try Authority(host: authority.bracketedHost, port: Int(authority.port)) == authority)
    }

    @Test(
        "an internationalised name becomes A-labels",
        arguments: [
            ("bücher.example:443", "xn--bcher-kva.example:443"),
            ("BÜCHER.example:443", "xn--bcher-kva.example:443"),
            ("bu\u{308}cher.example:443", "xn--bcher-kva.example:443"),
            ("例え。テスト:443", "xn--r8jz45g.xn--zckzah:443"),
            ("ｅｘａｍｐｌｅ．ｃｏｍ:443", "example.com:443"), ("例え｡テスト:443", "xn--r8jz45g.xn--zckzah:443"),
            ("пример.испытание:80", "xn--e1afmkfd.xn--80akhbyknj4f:80"), ("faß.de:80", "xn--fa-hia.de:80"),
            ("ελληνικά.gr:80", "xn--hxargifdar.gr:80"), ("مثال.example:80", "xn--mgbh0fb.example:80"),
            ("한국.kr:80", "xn--3e0b707e.kr:80"), ("पर.example:80", "xn--n2bm.example:80"),
            ("１２７.0.0.1:80", "127.0.0.1:80"),
        ])
    func international(text: String, expected: String) throws {
        #expect(try Authority(text).description == expected)
    }

    @Test(
        "what could be read in two ways is refused, with the reason",
        arguments: [
            ("", .emptyHost), (":443", .emptyHost), ("example.com", .missingPort), ("[::1]", .missingPort),
            ("example.com:", .invalidPort), ("example.com:0", .invalidPort),
            ("example.com:65536", .invalidPort),
            ("example.com:+80", .invalidPort), ("example.com:-1", .invalidPort),
            ("example.com:80x", .invalidPort),
            ("example.com: 80", .invalidPort), ("example.com:80 ", .invalidPort),
            ("example.com:0x50", .invalidPort),
            ("example.com:99999999999999999999", .invalidPort), ("example.com:٨٠", .invalidPort),
            ("example.com:80/", .invalidPort), ("example.com:80?q", .invalidPort),
            ("example.com:80\r\n", .invalidPort),
            ("user@example.com:80", .userInfo), ("user:pw@example.com:80", .userInfo),
            ("@example.com:80", .userInfo),
            ("example.com:80@evil.test:80", .userInfo), ("[example.com]:80", .invalidBrackets),
            ("[127.0.0.1]:80", .invalidBrackets), ("[]:80", .invalidBrackets), ("[::1:80", .invalidBrackets),
            ("[::1]x:80", .invalidBrackets), ("[::1]]:80", .invalidBrackets),
            ("[[::1]]:80", .invalidBrackets),
            ("a]:80", .invalidBrackets), ("a[b:80", .invalidBrackets), ("::1:80", .unbracketedIPv6),
            ("a:b:80", .unbracketedIPv6), ("example.com:80:80", .unbracketedIPv6),
            ("[fe80::1%eth0]:80", .zoneID), ("[fe80::1%25eth0]:80", .zoneID),
            (" example.com:80", .forbiddenCharacter), ("exam ple.com:80", .forbiddenCharacter),
            ("example.com\t:80", .forbiddenCharacter), ("example.com\u{0}:80", .forbiddenCharacter),
            ("example.com\r\nX-A: b", .forbiddenCharacter), ("ex%61mple.com:80", .forbiddenCharacter),
            ("example.com/:80", .forbiddenCharacter), ("example.com#:80", .forbiddenCharacter),
            ("example.com?:80", .forbiddenCharacter), ("a\\b:80", .forbiddenCharacter),
            ("*:80", .forbiddenCharacter),
            ("a,b:80", .forbiddenCharacter), ("0177.0.0.1:80", .malformedAddress),
            ("0x7f.1:80", .malformedAddress),
            ("127.1:80", .malformedAddress), ("2130706433:80", .malformedAddress),
            ("0x7f000001:80", .malformedAddress),
            ("1.2.3.256:80", .malformedAddress), ("1.2.3.4.5:80", .malformedAddress),
            ("a.0x:80", .malformedAddress),
            ("foo.0:80", .malformedAddress), ("127.0.0.01:80", .malformedAddress),
            ("０１７７.0.0.1:80", .malformedAddress),
            ("127.1.:80", .malformedAddress), ("a..b:80", .invalidLabel), (".a:80", .invalidLabel),
            (".:80", .invalidLabel), ("a..:80", .invalidLabel), ("-a.b:80", .invalidLabel),
            (String(repeating: "a", count: 64) + ":80", .invalidLabel), ("xn--:80", .invalidIDN),
            ("xn--a:80", .invalidIDN), ("xn--abc-:80", .invalidIDN), ("xn--99999999:80", .invalidIDN),
            ("xn--a-ecp.ru\u{301}\u{200d}:80", .invalidIDN), ("☃.example:80", .invalidIDN),
            ("a\u{200b}b.example:80", .invalidIDN), ("\u{301}a.example:80", .invalidIDN),
            ("a\u{a0}b.example:80", .invalidIDN), ("ü\u{202e}.example:80", .invalidIDN),
            ("ａ＠ｂ.example:80", .forbiddenCharacter), ("ａ／ｂ.example:80", .forbiddenCharacter),
        ] as [(String, AuthorityError.Reason)])
    func refused(text: String, reason: AuthorityError.Reason) {
        let error = #expect(throws: AuthorityError.self) { try Authority(text) }
        #expect(error?.reason == reason)
        #expect(error?.description.utf8.allSatisfy { $0 >= 0x20 } == true)
    }

    @Test("a name has at most 253 octets") func nameLength() throws {
        let label = String(repeating: "a", count: 49)
        let name = Array(repeating: label, count: 5).joined(separator: ".") + ".abc"
        #expect(name.utf8.count == 253)
        #expect(try Authority(name + ".:1").hostDescription == name)
        #expect(throws: AuthorityError.self) { try Authority(name + "d:1") }
        #expect(throws: AuthorityError.self) { try Authority(String(repeating: "ü", count: 100_000) + ":1") }
    }

    @Test("a default port fills in, and is overridden") func defaultPort() throws {
        #expect(try Authority("a.test", defaultPort: 80).port == 80)
        #expect(try Authority("[::1]", defaultPort: 80).description == "[::1]:80")
        #expect(try Authority("a.test:81", defaultPort: 80).port == 81)
        #expect(throws: AuthorityError.self) { try Authority("a.test:", defaultPort: 80) }
        #expect(throws: AuthorityError.self) { try Authority("a.test", defaultPort: 0) }
    }

    @Test("host and port apart", arguments: [0, -1, 65536, Int.max])
    func badPorts(port: Int) throws {
        #expect(throws: AuthorityError.self) { try Authority(host: "a.test", port: port) }
        #expect(throws: AuthorityError.self) { try Authority(host: "a.test:80", port: 80) }
        #expect(try Authority(host: "::1", port: 80) == Authority("[::1]:80"))
    }

    @Test("an error shows neither passwords nor control characters, and is short") func errorText() {
        let password = #expect(throws: AuthorityError.self) { try Authority("user:hunter2@a.test:80") }
        #expect(password?.description.contains("hunter2") == false)
        let long = #expect(throws: AuthorityError.self) {
            try Authority(String(repeating: "\n", count: 900) + ":1")
        }
        #expect((long?.input.count ?? 0) < 200)
    }

    @Test(
        "Punycode of RFC 3492's samples",
        arguments: [
            ("他们为什么不说中文", "ihqwcrb4cv8a8dqg056pqjye"), ("3年b組金八先生", "3b-ww4c5e180e575a65lsy2b"),
            ("почемужеонинеговорятпорусски", "b1abfaaepdrnnbgefbadotcwatmq2g4l"), ("bücher", "bcher-kva"),
        ])
    func punycode(text: String, encoded: String) {
        #expect(Punycode.encode(Array(text.unicodeScalars)) == encoded)
        #expect(Punycode.decode(Array(encoded.utf8)[...]) == Array(text.unicodeScalars))
    }
}
