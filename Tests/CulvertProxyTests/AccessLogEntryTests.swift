import CulvertProxy
import Foundation
import Testing

@Suite("Lines of the access log")
struct AccessLogEntryTests {
    @Test("a line is one JSON object with every member")
    func members() throws {
        var entry = AccessLogEntry()
        entry.timestamp = 0.123
        entry.client = "127.0.0.1:1"
        entry.user = "alice"
        entry.method = "CONNECT"
        entry.target = "example.com:443"
        entry.status = 200
        entry.isAllowed = true
        entry.rule = "staff"
        entry.reason = "closed"
        entry.parent = "http://parent.example:3128"
        entry.resolveMilliseconds = 1
        entry.address = "192.0.2.1:443"
        entry.bytesUp = .max
        entry.bytesDown = 2
        entry.milliseconds = 3
        entry.closedBy = .origin
        let object = try JSONSerialization.jsonObject(with: Data(entry.json.utf8)) as? [String: Any]
        #expect(object?["time"] as? String == "1970-01-01T00:00:00.123Z")
        #expect(object?["user"] as? String == "alice")
        #expect(object?["status"] as? Int == 200)
        #expect(object?["decision"] as? String == "allow")
        #expect(object?["bytesUp"] as? UInt64 == .max)
        #expect(object?["closedBy"] as? String == "origin")
        #expect(object?["rule"] as? String == "staff")
        #expect(object?["parent"] as? String == "http://parent.example:3128")
        #expect(object?["resolveMilliseconds"] as? Int == 1)
        #expect(object?.count == 17)
    }

    @Test(
        "nothing a client sends can end the line or leave the string",
        arguments: [
            "\r\nforged", "\u{1B}[2J", "\"quote\\", "\u{0}", "\u{7F}", "\u{85}\u{2028}", "\u{202E}gnp.exe",
            "é日本",
        ])
    func injection(text: String) throws {
        var entry = AccessLogEntry()
        entry.target = text
        entry.user = text
        let line = entry.json
        #expect(!line.unicodeScalars.contains { $0.value < 0x20 || (0x7F...0x9F).contains($0.value) })
        #expect(!line.contains { $0.isNewline })
        let object = try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any]
        #expect(object?["target"] as? String == text)
        #expect(object?["user"] as? String == text)

        let fields = entry.squid.split(separator: " ", omittingEmptySubsequences: true)
        #expect(fields.count == 10)
        #expect(entry.squid.utf8.allSatisfy { (0x20...0x7E).contains($0) })
    }

    @Test("Squid's native format", arguments: Self.squidLines)
    func squid(line: String, change: @Sendable (inout AccessLogEntry) -> Void) {
        var entry = AccessLogEntry()
        entry.timestamp = 1286536309.05
        entry.client = "192.0.2.7:51234"
        entry.method = "CONNECT"
        entry.target = "example.com:443"
        change(&entry)
        #expect(entry.squid == line)
    }

    private static let squidLines: [(String, @Sendable (inout AccessLogEntry) -> Void)] = [
        (
            "1286536309.050   1180 192.0.2.7 TCP_TUNNEL/200 510 CONNECT example.com:443 alice HIER_DIRECT/198.51.100.1 -",
            {
                $0.milliseconds = 1180
                $0.status = 200
                $0.isAllowed = true
                $0.bytesDown = 510
                $0.user = "alice"
                $0.address = "198.51.100.1:443"
            }
        ),
        (
            "1286536309.050      0 2001:db8::1 TCP_DENIED/407 0 CONNECT example.com:443 - HIER_NONE/- -",
            {
                $0.client = "[2001:db8::1]:51234"
                $0.status = 407
            }
        ),
        (
            "1286536309.050 1234567 192.0.2.7 TCP_TUNNEL/200 0 CONNECT example.com:443 a%20b%25%0A FIRSTUP_PARENT/http://parent:3128 -",
            {
                $0.milliseconds = 1_234_567
                $0.status = 200
                $0.isAllowed = true
                $0.user = "a b%\n"
                $0.address = "198.51.100.1:3128"
                $0.parent = "http://parent:3128"
            }
        ),
        (
            "1286536309.050      0 192.0.2.7 NONE_NONE/400 0 NONE error:invalid-request - HIER_NONE/- -",
            {
                $0.method = ""
                $0.target = ""
                $0.status = 400
            }
        ),
        (
            "1286536309.050      5 192.0.2.7 NONE_ABORTED/000 0 CONNECT example.com:443 - HIER_NONE/- -",
            { $0.milliseconds = 5 }
        ),
        (
            "1286536309.050      9 192.0.2.7 TCP_MISS/403 77 GET http://example.com/a%20b - HIER_DIRECT/198.51.100.1 -",
            {
                $0.method = "GET"
                $0.target = "http://example.com/a%20b"
                $0.milliseconds = 9
                $0.status = 403
                $0.isAllowed = true
                $0.bytesDown = 77
                $0.address = "198.51.100.1:80"
            }
        ),
    ]

    @Test("a time that no clock shows is no crash", arguments: [Double.nan, .infinity, -.infinity, 1e300])
    func strangeTime(timestamp: Double) {
        var entry = AccessLogEntry()
        entry.timestamp = timestamp
        #expect(entry.squid.hasPrefix("0.000 "))
        #expect(entry.json.hasPrefix("{\"time\":\"1970-01-01T00:00:00.000Z\","))
    }

    @Test(
        "the time is that of ISO 8601 in UTC, to the millisecond",
        arguments: [
            (0.0, "1970-01-01T00:00:00.000Z"), (951_782_399.999, "2000-02-28T23:59:59.999Z"),
            (951_782_400, "2000-02-29T00:00:00.000Z"), (1_709_251_199.5, "2024-02-29T23:59:59.500Z"),
            (4_107_542_400, "2100-03-01T00:00:00.000Z"), (253_402_300_800, "9999-12-31T23:59:59.000Z"),
        ])
    func time(timestamp: Double, text: String) {
        var entry = AccessLogEntry()
        entry.timestamp = timestamp
        #expect(entry.json.hasPrefix("{\"time\":\"\(text)\","))
    }
}
