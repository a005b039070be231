import CulvertInterop
import Foundation
import Testing

@Suite("JSON reports")
struct JSONReportTests {
    private func object(_ report: Report) throws -> [String: Any] {
        let value = try JSONSerialization.jsonObject(with: JSONReport(report).data())
        return try #require(value as? [String: Any])
    }

    @Test("everything a run found is there, whole")
    func content() throws {
        let object = try self.object(.mixed)
        #expect(object["schema"] as? Int == 1)
        #expect(object["date"] as? String == "2031-04-05T06:07:08Z")
        #expect(object["durationMilliseconds"] as? Double == 73042)
        #expect(object["outcome"] as? String == "failed")
        #expect(object["command"] as? String == "culvert interop --json <file>")
        #expect(
            object["summary"] as? [String: Int]
                == ["passed": 5, "failed": 3, "missing": 3, "unsupported": 3, "unreachable": 1])
        let results = try #require(object["results"] as? [[String: Any]])
        #expect(results.count == Report.mixed.results.count)
        #expect(results[0]["verdict"] as? String == "pass")
        #expect(results[0]["durationMilliseconds"] as? Double == 12.25)
        #expect(results[0]["detail"] == nil)
        let details = results.compactMap { $0["detail"] as? String }
        #expect(details.contains(Hostile.script))
        #expect(details.contains(Hostile.long))
        #expect(details.contains { Array($0.unicodeScalars) == Array(Hostile.control.unicodeScalars) })
        let refused = try #require(results.first { $0["row"] as? String == "proxy.py" })
        #expect(refused["cause"] as? String == "refused by the proxy (403)")
        #expect(refused["reason"] == nil)
        let missing = try #require(results.first { $0["row"] as? String == "Yaws" })
        #expect(missing["reason"] as? String == "missing")
        #expect(missing["cause"] == nil)
    }

    @Test("a part without a version is missing, and sections name their places")
    func partsAndSections() throws {
        let object = try self.object(.mixed)
        let parts = try #require(object["parts"] as? [[String: Any]])
        #expect(parts.first { $0["name"] as? String == "tornado" }?["version"] as? String == "6.4.1")
        #expect(parts.first { $0["name"] as? String == "yaws" }?["version"] == nil)
        #expect(parts.map { $0["kind"] as? String } == ["own", "library", "server", "server", "proxy"])
        let sections = try #require(object["sections"] as? [[String: Any]])
        #expect(sections.map { $0["name"] as? String } == ["servers", "public"])
        #expect(sections[0]["columns"] as? [String] == ["text", "close-4999", "compression"])
    }

    @Test("the same report gives the same bytes, keys in order")
    func stable() throws {
        let text = try String(decoding: JSONReport(.mixed).data(), as: UTF8.self)
        #expect(try text == String(decoding: JSONReport(.mixed).data(), as: UTF8.self))
        let keys = [
            "\"command\"", "\"date\"", "\"outcome\"", "\"parts\"", "\"results\"", "\"sections\"",
            "\"system\"",
        ]
        let places = keys.compactMap { text.range(of: $0)?.lowerBound }
        #expect(places.count == keys.count)
        #expect(places == places.sorted())
        #expect(text.hasSuffix("}\n"))
    }

    @Test("an empty report is an object too")
    func empty() throws {
        let object = try self.object(.empty)
        #expect(object["outcome"] as? String == "untried")
        #expect((object["results"] as? [Any])?.isEmpty == true)
    }
}
