import CulvertInterop
import Foundation
import Testing

/// What clients and attackers send to `culvert proxy`, byte for byte.
@Suite("requests to culvert proxy", .serialized, .timeLimit(.minutes(3)))
struct ProxyRequestTests {
    private func connectHead(_ port: Int, _ fields: String = "") -> String {
        "CONNECT 127.0.0.1:\(port) HTTP/1.1\r\nHost: 127.0.0.1:\(port)\r\n\(fields)\r\n"
    }

    /// Sends `request` and returns the whole answer; the proxy must end the connection.
    private func answer(to request: String, _ proxy: CulvertProxyProcess) async throws -> String {
        let connection = try await proxy.connect()
        try await connection.send(request)
        let answer = try await connection.receiveToEnd()
        await connection.close()
        return answer
    }

    @Test("bytes behind CONNECT in the same packet arrive after the 2xx, in order")
    func earlyBytes() async throws {
        let proxy = try await OwnProxies.shared.open()
        let origin = try await ObedientOrigin()
        let connection = try await proxy.connect()
        try await connection.send(self.connectHead(origin.port) + "first ")
        try await connection.send("second ")
        try await connection.send("third")
        let answer = try await connection.receive(until: "first second third")
        #expect(answer.hasPrefix("HTTP/1.1 200"))
        #expect(answer.components("\r\n\r\n").last == "first second third")
        #expect(answer.components("\r\n\r\n").count == 2)
        #expect(origin.received == "first second third")
        let head = answer.components("\r\n\r\n")[0].lowercased()
        #expect(!head.contains("content-length") && !head.contains("transfer-encoding"))
        await connection.close()
    }

    @Test("bytes behind a CONNECT that is refused are no request")
    func earlyBytesRefused() async throws {
        let proxy = try await OwnProxies.shared.open()
        let origin = try await ObedientOrigin()
        let dead = try LoopbackPort.free()
        let answer = try await self.answer(
            to: self.connectHead(dead) + self.connectHead(origin.port) + "x", proxy)
        #expect(answer.hasPrefix("HTTP/1.1 502"))
        #expect(!answer.contains("HTTP/1.1 200"))
        #expect(origin.accepted == 0)
    }

    @Test("a server that speaks first is heard behind the 2xx, never before")
    func greeting() async throws {
        let proxy = try await OwnProxies.shared.open()
        let origin = try await ObedientOrigin(greeting: "220 ready\r\n")
        let connection = try await proxy.connect()
        try await connection.send(self.connectHead(origin.port))
        let answer = try await connection.receive(until: "220 ready")
        #expect(answer.hasPrefix("HTTP/1.1 200"))
        #expect(answer.hasSuffix("\r\n\r\n220 ready\r\n"))
        await connection.close()
    }

    @Test(
        "a malformed request is a 400 and the end of the connection",
        arguments: [
            "NONSENSE\r\n\r\n",
            "CONNECT 127.0.0.1:80\r\n\r\n",
            "CONNECT  127.0.0.1:80 HTTP/1.1\r\nHost: a\r\n\r\n",
            "CONNECT 127.0.0.1:80 HTTP/1.1\r\nHost : a\r\n\r\n",
            "CONNECT 127.0.0.1:80 HTTP/1.1\r\nHost: a\r\n folded\r\n\r\n",
            "CONNECT 127.0.0.1:80 HTTP/1.1\nHost: a\n\n",
            "CONNECT 127.0.0.1:80 HTTP/1.1\r\nHost: a\rX: b\r\n\r\n",
            "CONNECT 127.0.0.1:80 HTTP/1.1\r\nHost: a\r\nno colon\r\n\r\n",
            "CONNECT 127.0.0.1:80 HTTP/1.1\r\nHost: a\u{0}b\r\n\r\n",
            "CONNECT 127.0.0.1:80 HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
            "CONNECT 127.0.0.1:80 HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n",
            "CONNECT 127.0.0.1:80 HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: xchunked\r\n\r\n",
        ])
    func malformed(request: String) async throws {
        let proxy = try await OwnProxies.shared.open()
        let answer = try await self.answer(to: request, proxy)
        #expect(answer.hasPrefix("HTTP/1.1 400 "), "\(answer)")
        #expect(answer.lowercased().contains("connection: close"))
        self.expectFramed(answer)
    }

    @Test(
        "a malformed authority is a 400",
        arguments: [
            "[localhost]:80", "[127.0.0.1]:80", "127.0.0.1", "127.0.0.1:", "127.0.0.1:0", "127.0.0.1:65536",
            "127.0.0.1:+80", "127.0.0.1:80x", "127.0.0.1:99999999999999999999", "user@127.0.0.1:80",
            "user:pass@127.0.0.1:80", "0177.0.0.1:80", "0x7f.1:80", "127.1:80", "2130706433:80",
            "%6cocalhost:80", "local%00host:80", "::1:80", "[::1:80", "[::1]80", ":80", "a..b:80", "/", "*",
            "http://127.0.0.1:80", "a/b:80", "a?b:80", "a#b:80", "a\\b:80", "a\tb:80",
        ])
    func badAuthority(authority: String) async throws {
        let proxy = try await OwnProxies.shared.open()
        let answer = try await self.answer(to: "CONNECT \(authority) HTTP/1.1\r\nHost: a\r\n\r\n", proxy)
        #expect(answer.hasPrefix("HTTP/1.1 400 "), "\(answer)")
        self.expectFramed(answer)
    }

    @Test(
        "an authority in another spelling is the same place",
        arguments: ["LOCALHOST", "localhost.", "LocalHost", "127.0.0.1", "127.0.0.1.", "[::ffff:127.0.0.1]"])
    func spelling(host: String) async throws {
        let proxy = try await OwnProxies.shared.open()
        let origin = try await ObedientOrigin()
        let connection = try await proxy.connect()
        try await connection.send("CONNECT \(host):\(origin.port) HTTP/1.1\r\nHost: \(host)\r\n\r\nhello")
        #expect(try await connection.receive(until: "\r\n\r\nhello").hasPrefix("HTTP/1.1 200"))
        await connection.close()
    }

    @Test("HTTP/1.0 and a Host without port are accepted")
    func http10() async throws {
        let proxy = try await OwnProxies.shared.open()
        let origin = try await ObedientOrigin()
        for head in [
            "CONNECT 127.0.0.1:\(origin.port) HTTP/1.0\r\n\r\n",
            "CONNECT 127.0.0.1:\(origin.port) HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
        ] {
            let connection = try await proxy.connect()
            try await connection.send(head + "hello")
            #expect(try await connection.receive(until: "\r\n\r\nhello").contains(" 200 "))
            await connection.close()
        }
    }

    @Test("one byte per packet is a request like any other")
    func byteByByte() async throws {
        let proxy = try await OwnProxies.shared.open()
        let origin = try await ObedientOrigin()
        let connection = try await proxy.connect()
        for byte in self.connectHead(origin.port) + "hello" { try await connection.send(String(byte)) }
        #expect(try await connection.receive(until: "\r\n\r\nhello").hasPrefix("HTTP/1.1 200"))
        await connection.close()
    }

    @Test(
        "requests that are not for a tunnel say so",
        arguments: [
            ("GET / HTTP/1.1\r\nHost: a\r\n\r\n", 405), ("OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n", 405),
            ("GET https://127.0.0.1:9/ HTTP/1.1\r\nHost: 127.0.0.1:9\r\n\r\n", 501),
            ("POST ftp://127.0.0.1:9/ HTTP/1.1\r\nHost: 127.0.0.1:9\r\nContent-Length: 3\r\n\r\nabc", 501),
        ])
    func otherForms(request: String, status: Int) async throws {
        let proxy = try await OwnProxies.shared.open()
        let connection = try await proxy.connect()
        try await connection.send(request)
        let answer = try await connection.receive(until: "\r\n\r\n")
        #expect(answer.hasPrefix("HTTP/1.1 \(status) "), "\(answer)")
        self.expectFramed(answer)
        await connection.close()
    }

    @Test("a head over the limit is a 431, a request line over it a 414")
    func tooLarge() async throws {
        let proxy = try await CulvertProxyProcess(["--max-head-bytes", "4096"])
        let fields = try await self.answer(
            to: "CONNECT a:1 HTTP/1.1\r\nHost: a\r\n" + String(repeating: "X-A: bbbbbbbbbbbb\r\n", count: 500)
                + "\r\n", proxy)
        #expect(fields.hasPrefix("HTTP/1.1 431 "), "\(fields)")
        let line = try await self.answer(to: "CONNECT " + String(repeating: "a", count: 9000), proxy)
        #expect(line.hasPrefix("HTTP/1.1 414 ") || line.hasPrefix("HTTP/1.1 431 "), "\(line)")
        let field = try await self.answer(
            to: "CONNECT a:1 HTTP/1.1\r\nX: " + String(repeating: "a", count: 9000), proxy)
        #expect(field.hasPrefix("HTTP/1.1 431 "), "\(field)")
    }

    @Test("a head that comes too slowly is a 408")
    func slowHead() async throws {
        let proxy = try await CulvertProxyProcess(["--head-timeout", "3"])
        // Long enough that a busy machine has sent the first bytes by then: without any there is no answer.
        let connection = try await proxy.connect()
        try await connection.send("CONNECT 127.0.0.1:80 HTTP/1.1\r\nHost")
        let answer = try await connection.receiveToEnd(within: .seconds(10))
        #expect(answer.hasPrefix("HTTP/1.1 408 "), "\(answer)")
    }

    @Test("a byte now and then does not put the deadline of a head off")
    func trickle() async throws {
        let proxy = try await CulvertProxyProcess(["--head-timeout", "1"])
        let connection = try await proxy.connect()
        let start = ContinuousClock.now
        for byte in "CONNECT 127.0.0.1:80 HTTP/1.1\r\nHost: a" where !connection.hasEnded {
            try await connection.send(String(byte))
            try await Task.sleep(for: .milliseconds(200))
        }
        #expect(ContinuousClock.now - start < .seconds(4))
        #expect(connection.received.hasPrefix("HTTP/1.1 408 "), "\(connection.received)")
    }

    @Test("a port that says nothing to a SYN's answer is a 504 or 502 in time")
    func connectTimeout() async throws {
        // 192.0.2.0/24 is for documentation (RFC 5737): nothing answers there.
        let proxy = try await CulvertProxyProcess(["--connect-timeout", "1"])
        let answer = try await self.answer(to: "CONNECT 192.0.2.1:9 HTTP/1.1\r\nHost: a\r\n\r\n", proxy)
        #expect(answer.hasPrefix("HTTP/1.1 504 ") || answer.hasPrefix("HTTP/1.1 502 "), "\(answer)")
        self.expectFramed(answer)
    }

    @Test(
        "its own listener as a target is a 403, by whatever name",
        arguments: [
            "127.0.0.1", "127.0.0.1.", "localhost", "LOCALHOST.", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]",
            "0.0.0.0",
        ])
    func loop(host: String) async throws {
        let proxy = try await OwnProxies.shared.open()
        let answer = try await self.answer(
            to: "CONNECT \(host):\(proxy.port) HTTP/1.1\r\nHost: a\r\n\r\n", proxy)
        #expect(answer.hasPrefix("HTTP/1.1 403 "), "\(answer)")
        self.expectFramed(answer)
        var found: CulvertProxyProcess.LogLine?
        try await eventually("the access-log line") {
            found = try proxy.log().last { $0.target?.hasSuffix(":\(proxy.port)") == true }
            return found != nil
        }
        let line = try #require(found)
        #expect(line.decision == "deny")
        #expect(line.reason?.isEmpty == false)
    }

    @Test(
        "a listener on every address is its own listener on each",
        arguments: ["127.0.0.1", "127.0.0.2", "0.0.0.0", "[::ffff:127.0.0.3]"])
    func loopOnWildcard(host: String) async throws {
        let proxy = try await CulvertProxyProcess(["--listen", "0.0.0.0:0"])
        var found: String?
        try await eventually("the second listener") {
            found = proxy.process.errors.lines.first { $0.contains("0.0.0.0:") }
            return found != nil
        }
        let port = try #require(found?.split(separator: ":").last)
        let answer = try await self.answer(to: "CONNECT \(host):\(port) HTTP/1.1\r\nHost: a\r\n\r\n", proxy)
        #expect(answer.hasPrefix("HTTP/1.1 403 "), "\(answer)")
    }

    @Test("a 407 is framed, and the next request on the connection is heard")
    func challenge() async throws {
        let proxy = try await OwnProxies.shared.authenticating()
        let origin = try await ObedientOrigin()
        let connection = try await proxy.connect()
        try await connection.send(self.connectHead(origin.port))
        let first = try await connection.receive(until: "\r\n\r\n")
        #expect(first.hasPrefix("HTTP/1.1 407 "))
        #expect(first.lowercased().contains("\r\nproxy-authenticate: basic realm="))
        #expect(!first.lowercased().contains("connection: close"))
        try await connection.send(self.connectHead(origin.port, "Proxy-Authorization: Basic !!!\r\n"))
        try await eventually("a second 407") { connection.received.components("HTTP/1.1 407").count == 3 }
        try await connection.send(
            self.connectHead(origin.port, "proxy-authorization: bASIC YWxpY2U6c2VjcmV0\r\n") + "hello")
        let all = try await connection.receive(until: "hello")
        #expect(all.components("HTTP/1.1 407").count == 3)
        #expect(all.components("HTTP/1.1 200").count == 2)
        #expect(all.hasSuffix("\r\n\r\nhello"))
        #expect(origin.received == "hello")
        await connection.close()
    }

    @Test("without credentials nobody learns what is reachable")
    func challengeFirst() async throws {
        let proxy = try await OwnProxies.shared.authenticating()
        for target in [
            "127.0.0.1:\(try LoopbackPort.free())", "nonexistent.invalid:443", "127.0.0.1:\(proxy.port)",
        ] {
            let connection = try await proxy.connect()
            try await connection.send("CONNECT \(target) HTTP/1.1\r\nHost: a\r\n\r\n")
            #expect(try await connection.receive(until: "\r\n\r\n").hasPrefix("HTTP/1.1 407 "))
            await connection.close()
        }
    }

    @Test("control characters never reach a log raw")
    func logInjection() async throws {
        let proxy = try await CulvertProxyProcess.authenticating()
        let forged = "{\"forged\":true}"
        // "evil\n{…}:x" and "esc\u{1b}[2J:x" as user names.
        let names = ["evil\n\(forged)\n", "esc\u{1B}[2J", "nul\u{0}", "del\u{7F}", "c1\u{9B}31m"]
        for name in names {
            let encoded = try await Command.check(
                ["openssl", "base64", "-A"], input: Array("\(name):x".utf8)
            ).text
            let connection = try await proxy.connect()
            try await connection.send(
                "CONNECT a.test:1 HTTP/1.1\r\nHost: a\r\nProxy-Authorization: Basic \(encoded)\r\n\r\n")
            _ = try await connection.receive(until: "\r\n\r\n")
            await connection.close()
        }
        for request in [
            "CONNECT a\u{1B}[31m:1 HTTP/1.1\r\nHost: a\r\n\r\n", "CONNECT a:1\n\(forged) HTTP/1.1\r\n\r\n",
            "GET /\u{7F}\u{1B}[2J HTTP/1.1\r\nHost: a\r\nUser-Agent: \u{1B}]0;x\u{7}\r\n\r\n",
            "C\u{8}\u{8}NNECT a:1 HTTP/1.1\r\n\r\n",
        ] {
            let connection = try await proxy.connect()
            try await connection.send(request)
            _ = try await connection.receiveToEnd()
            await connection.close()
        }
        try await eventually("all nine are logged") { proxy.process.output.lines.count >= 9 }
        for output in [proxy.process.output, proxy.process.errors] {
            let raw = output.text.unicodeScalars.filter {
                ($0.value < 32 && $0 != "\n") || (0x7F...0x9F).contains($0.value)
            }
            #expect(raw.isEmpty)
            #expect(!output.lines.contains { $0.hasPrefix(forged) })
        }
        // Every line is JSON.
        #expect(try proxy.log().count == proxy.process.output.lines.count)
    }

    /// An answer must say where it ends: by a length that is right, or by closing.
    private func expectFramed(_ answer: String) {
        let parts = answer.components("\r\n\r\n")
        let head = parts[0].lowercased()
        let body = parts.dropFirst().joined(separator: "\r\n\r\n")
        let length = head.components("\r\n").first { $0.hasPrefix("content-length:") }
            .flatMap { Int($0.dropFirst(15).filter { $0 != " " }) }
        #expect(
            length == body.utf8.count || (length == nil && head.contains("connection: close")), "\(answer)")
        #expect(!body.isEmpty, "no word about the reason: \(answer)")
        #expect(body.utf8.count < 1000)
    }
}

extension String {
    /// The pieces between `separator`, empty ones too.
    func components(_ separator: String) -> [String] { self.components(separatedBy: separator) }
}
