import NIOCore
import Testing

@testable import HTTPWire

@Suite struct HTTP2StreamMachineTests {
    typealias Sent = HTTP2StreamMachine.Sent

    /// `name: value` of each line.
    static func section(_ lines: String...) -> [HTTP2Field] {
        lines.map { line in
            let parts = line.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            return HTTP2Field(String(parts[0]), String(parts[1]))
        }
    }

    static let connect = section(":method=CONNECT", ":authority=a.test:443")
    static let get = section(":method=GET", ":scheme=http", ":authority=a.test", ":path=/x?y")
    static let post = section(":method=POST", ":scheme=http", ":authority=a.test", ":path=/")

    /// Past the section of a request.
    static func machine(_ section: [HTTP2Field], isEnd: Bool = true) throws -> HTTP2StreamMachine {
        var machine = HTTP2StreamMachine()
        _ = try machine.receive(section: section, isEnd: isEnd)
        return machine
    }

    // MARK: Requests

    @Test(
        "a request becomes the HTTP/1.1 request that asks for the same",
        arguments: [
            (connect, "CONNECT a.test:443 HTTP/1.1\r\nHost: a.test:443\r\nConnection: close\r\n\r\n"),
            (
                get + section("accept=*/*", "te=trailers", "cookie=a=1", "cookie=b=2"),
                "GET http://a.test/x?y HTTP/1.1\r\naccept: */*\r\nCookie: a=1; b=2\r\nHost: a.test\r\nConnection: close\r\n\r\n"
            ),
            (
                section(":method=OPTIONS", ":scheme=http", ":path=*", "host=a.test:8080"),
                "OPTIONS http://a.test:8080 HTTP/1.1\r\nHost: a.test:8080\r\nConnection: close\r\n\r\n"
            ),
            (
                get + section("host=A.test"),
                "GET http://a.test/x?y HTTP/1.1\r\nHost: a.test\r\nConnection: close\r\n\r\n"
            ),
        ])
    func request(section: [HTTP2Field], expected: String) throws {
        var machine = HTTP2StreamMachine()
        let received = try machine.receive(section: section, isEnd: true)
        #expect(received.bytes.text == expected)
    }

    @Test(
        "a section that could be read two ways is malformed",
        arguments: [
            [], section(":method=GET"), section(":method=CONNECT"),
            section(":method=G T", ":scheme=http", ":authority=a", ":path=/"),
            section(":method=GET", ":scheme=http", ":authority=a b", ":path=/"),
            section(":method=GET", ":scheme=http", ":authority=a", ":path=/ HTTP/1.1\r\nX: y"),
            section(":method=GET", ":scheme=http", ":authority=a", ":path=x"),
            section(":method=GET", ":scheme=http", ":authority=a", ":path="),
            section(":method=GET", ":scheme=ht tp", ":authority=a", ":path=/"),
            section(":method=GET", ":method=GET", ":scheme=http", ":authority=a", ":path=/"),
            section(":method=CONNECT", ":authority=a:1", ":protocol=websocket"),
            get + section("a=b", ":authority=late"), get + section("host=b.test"),
            get + section("host=a.test", "host=a.test"), get + section("Upper=x"), get + section("=x"),
            get + section("a b=x"), get + section("a=x\r\nb: y"), get + section("a=x\ny"),
            get + section("a=x\0"),
            get + section("a= x"), get + section("a=x "), get + section("connection=close"),
            get + section("transfer-encoding=chunked"), get + section("upgrade=websocket"),
            get + section("keep-alive=5"), get + section("proxy-connection=close"), get + section("te=gzip"),
            get + section("content-length=3"), get + section("content-length=x"),
        ])
    func malformed(section: [HTTP2Field]) {
        var machine = HTTP2StreamMachine()
        #expect(throws: WireError.self) { try machine.receive(section: section, isEnd: true) }
    }

    @Test("a tunnel's data crosses unchanged, and its end is a FIN")
    func tunnel() throws {
        var machine = try Self.machine(Self.connect, isEnd: false)
        #expect(try machine.receive(data: ByteBuffer(string: "early"), isEnd: false).bytes.text == "early")
        #expect(!machine.isTunnel)
        let granted = try machine.send(ByteBuffer(string: "HTTP/1.1 200 OK\r\n\r\nSSH"))
        #expect(
            granted == [
                .head([HTTP2Field(":status", "200")], isEnd: false), .data(ByteBuffer(string: "SSH")),
            ])
        #expect(machine.isTunnel)
        let last = try machine.receive(data: ByteBuffer(string: "bye"), isEnd: true)
        #expect(last.bytes.text == "bye")
        #expect(last.isEnd)
        #expect(try machine.send(ByteBuffer(string: "more")) == [.data(ByteBuffer(string: "more"))])
        #expect(try machine.sendEnd() == .end)
        #expect(try machine.sendEnd() == nil)
    }

    @Test("a body without a length goes out in chunks, its trailers behind them")
    func chunked() throws {
        var machine = HTTP2StreamMachine()
        let head = try machine.receive(section: Self.post, isEnd: false)
        #expect(head.bytes.text.hasSuffix("Transfer-Encoding: chunked\r\n\r\n"))
        let data = try machine.receive(data: ByteBuffer(string: "0123456789abcdef"), isEnd: false)
        #expect(data.bytes.text == "10\r\n0123456789abcdef\r\n")
        let end = try machine.receive(section: Self.section("checksum=1"), isEnd: true)
        #expect(end.bytes.text == "0\r\nchecksum: 1\r\n\r\n")
    }

    @Test("a chunked body may end with its last data, or with none")
    func chunkedEnd() throws {
        for text in ["", "x"] {
            var machine = try Self.machine(Self.post, isEnd: false)
            let end = try machine.receive(data: ByteBuffer(string: text), isEnd: true)
            #expect(end.bytes.text == (text.isEmpty ? "" : "1\r\nx\r\n") + "0\r\n\r\n")
        }
    }

    @Test(
        "a body of another length than announced is malformed, not the beginning of a second request",
        arguments: [("GET / HTTP/1.1\r\n\r\n", false), ("12", true), ("", true)])
    func wrongLength(data: String, isEnd: Bool) throws {
        var machine = try Self.machine(Self.post + Self.section("content-length=3"), isEnd: false)
        #expect(throws: WireError.self) { try machine.receive(data: ByteBuffer(string: data), isEnd: isEnd) }
    }

    @Test("a body of the announced length crosses as it is")
    func length() throws {
        var machine = try Self.machine(Self.post + Self.section("content-length=3"), isEnd: false)
        #expect(try machine.receive(data: ByteBuffer(string: "ab"), isEnd: false).bytes.text == "ab")
        #expect(try machine.receive(data: ByteBuffer(string: "c"), isEnd: true).bytes.text == "c")
        #expect(throws: WireError.self) { try machine.receive(data: ByteBuffer(string: "d"), isEnd: true) }
    }

    @Test("what comes behind a complete answer is read by nobody")
    func behindAnswer() throws {
        for section in [Self.connect, Self.post] {
            var machine = try Self.machine(section, isEnd: false)
            _ = try machine.send(ByteBuffer(string: "HTTP/1.1 403 No\r\nContent-Length: 0\r\n\r\n"))
            let data = ByteBuffer(string: "CONNECT b.test:1 HTTP/1.1\r\n\r\n")
            #expect(try machine.receive(data: data, isEnd: false).bytes.readableBytes == 0)
            #expect(try machine.receive(data: data, isEnd: true).bytes.readableBytes == 0)
        }
    }

    // MARK: Answers

    private static let ok = HTTP2Field(":status", "200")

    @Test("an answer is the same however its bytes are cut")
    func cuts() throws {
        let text =
            "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nX-A: b\r\nConnection: close, x-c\r\nX-C: d\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\nT: u\r\n\r\n"
        for packets in Feeding.cuts(text) {
            var machine = try Self.machine(Self.get)
            var sent: [Sent] = []
            for packet in packets { sent += try machine.send(packet) }
            let body = sent.compactMap { if case .data(let bytes) = $0 { bytes.text } else { nil } }.joined()
            #expect(body == "abcde")
            #expect(sent.first == .head([HTTP2Field(":status", "100")], isEnd: false))
            #expect(sent[1] == .head([Self.ok, HTTP2Field("x-a", "b")], isEnd: false))
            #expect(sent.last == .trailers([HTTP2Field("t", "u")]))
            #expect(try machine.sendEnd() == nil)
        }
    }

    @Test(
        "an answer without a body ends with its head",
        arguments: [
            ("GET", "204 No", ""), ("GET", "304 No", "Content-Length: 5\r\n"),
            ("GET", "200 OK", "Content-Length: 0\r\n"),
            ("HEAD", "200 OK", "Content-Length: 5\r\n"), ("CONNECT", "502 No", "Content-Length: 0\r\n"),
        ])
    func withoutBody(method: String, status: String, field: String) throws {
        let section =
            method == "CONNECT" ? Self.connect : [HTTP2Field(":method", method)] + Self.get.dropFirst()
        var machine = try Self.machine(section)
        let sent = try machine.send(ByteBuffer(string: "HTTP/1.1 \(status)\r\n\(field)\r\n"))
        guard case .head(_, isEnd: true)? = sent.last, sent.count == 1 else {
            Issue.record("\(sent)")
            return
        }
    }

    @Test("an answer until close ends with it, one cut short does not end")
    func ends() throws {
        var machine = try Self.machine(Self.get)
        #expect(throws: WireError.self) { try machine.sendEnd() }
        machine = try Self.machine(Self.get)
        _ = try machine.send(ByteBuffer(string: "HTTP/1.1 200 OK\r\n\r\nabc"))
        #expect(try machine.sendEnd() == .end)
        machine = try Self.machine(Self.get)
        _ = try machine.send(ByteBuffer(string: "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nabc"))
        #expect(throws: WireError.self) { try machine.sendEnd() }
    }

    @Test("a head that no frame holds is answered 502")
    func tooLarge() throws {
        var machine = try Self.machine(Self.get)
        let field = "X: " + String(repeating: "x", count: 20_000)
        let sent = try machine.send(ByteBuffer(string: "HTTP/1.1 200 OK\r\n\(field)\r\n\r\n"))
        #expect(sent == [.head([HTTP2Field(":status", "502")], isEnd: true)])
    }
}
