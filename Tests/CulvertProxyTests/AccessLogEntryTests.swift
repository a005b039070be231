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
        entry.reason = "closed"
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
        #expect(object?.count == 14)
    }

    @Test(
        "nothing a client sends can end the line or leave the string",
        arguments: ["\r\nforged", "\u{1B}[2J", "\"quote\\", "\u{0}", "\u{7F}", "\u{85}\u{2028}", "é日本"])
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
    }
}
