import CulvertInterop
import Foundation
import Testing

#if canImport(FoundationXML)
    import FoundationXML
#endif

@Suite("JUnit reports")
struct JUnitReportTests {
    @Test("the counts are those of the cases")
    func counts() throws {
        let root = try Element.parse(JUnitReport(.mixed).text)
        #expect(root.name == "testsuites")
        #expect(root.attributes["tests"] == "15")
        #expect(root.attributes["failures"] == "3")
        #expect(root.attributes["errors"] == "0")
        #expect(root.attributes["time"] == "73.042")
        #expect(root.children.map { $0.attributes["name"] } == ["Servers through CONNECT", "Public servers"])
        for suite in root.children {
            let cases = suite.children.filter { $0.name == "testcase" }
            let outcomes = cases.flatMap(\.children).map(\.name)
            #expect(suite.attributes["tests"] == "\(cases.count)")
            #expect(suite.attributes["failures"] == "\(outcomes.filter { $0 == "failure" }.count)")
            #expect(suite.attributes["errors"] == "\(outcomes.filter { $0 == "error" }.count)")
            #expect(suite.attributes["skipped"] == "\(outcomes.filter { $0 == "skipped" }.count)")
            #expect(suite.attributes["timestamp"] == "2031-04-05T06:07:08Z")
        }
    }

    @Test("a case names its place, its runner and its time")
    func cases() throws {
        let suite = try #require(try Element.parse(JUnitReport(.mixed).text).children.first)
        let cases = suite.children.filter { $0.name == "testcase" }
        #expect(
            cases.first?.attributes == [
                "classname": "servers.Tornado", "name": "text culvert (ws)", "time": "0.012",
            ])
        #expect(cases.contains { $0.attributes["classname"] == "servers.proxy_py" })
        let properties = suite.children.first { $0.name == "properties" }?.children.map(\.attributes)
        #expect(properties?.contains(["name": "version.tornado", "value": "6.4.1"]) == true)
        #expect(properties?.contains(["name": "version.yaws", "value": "missing"]) == true)
        #expect(properties?.contains { $0["name"] == "version.squid" } == false)
    }

    @Test("hostile text stays text, in attributes as well")
    func hostile() throws {
        let root = try Element.parse(JUnitReport(.mixed).text)
        let failures = root.children.flatMap(\.children).flatMap(\.children).filter { $0.name == "failure" }
        #expect(failures.map(\.text).contains(Hostile.script))
        #expect(failures.map { $0.attributes["message"] }.contains("mismatch: " + Hostile.script))
        #expect(failures.map(\.text).contains(Hostile.long))
        let control = try #require(failures.map(\.text).first { $0.contains("second line") })
        #expect(control.hasPrefix("\\u{1b}[2J\\u{1b}]0;title\\u{7}\\r\nsecond line\\u{0}\\u{9b}31m"))
        #expect(control.hasSuffix("\\u{fffe}"))
    }

    @Test("a missing peer is skipped, or an error where peers are required")
    func required() throws {
        var report = Report.of([
            check("a", "b", "culvert", "", .unavailable(.missing, "install it")),
            check("a", "c", "culvert", "", .unavailable(.unsupported, "cannot")),
        ])
        var suite = try #require(try Element.parse(JUnitReport(report).text).children.first)
        #expect(suite.attributes["skipped"] == "2")
        report.requiresPeers = true
        suite = try #require(try Element.parse(JUnitReport(report).text).children.first)
        #expect(suite.attributes["skipped"] == "1")
        #expect(suite.attributes["errors"] == "1")
        let error = suite.children.flatMap(\.children).first { $0.name == "error" }
        #expect(error?.attributes["message"] == "missing: install it")
    }

    @Test("an empty report is a document without suites")
    func empty() throws {
        let root = try Element.parse(JUnitReport(.empty).text)
        #expect(root.attributes["tests"] == "0")
        #expect(root.children.isEmpty)
    }
}

/// An element as a parser that knows nothing of us reads it.
private final class Element {
    let name: String
    let attributes: [String: String]
    var text = ""
    var children: [Element] = []

    init(_ name: String, _ attributes: [String: String]) {
        self.name = name
        self.attributes = attributes
    }

    static func parse(_ text: String) throws -> Element {
        let parser = XMLParser(data: Data(text.utf8))
        let builder = Builder()
        parser.delegate = builder
        let isWellFormed = parser.parse()
        #expect(isWellFormed, "\(String(describing: parser.parserError)) in line \(parser.lineNumber)")
        return try #require(builder.root)
    }

    private final class Builder: NSObject, XMLParserDelegate {
        var root: Element?
        private var open: [Element] = []

        func parser(
            _ parser: XMLParser, didStartElement name: String, namespaceURI: String?, qualifiedName: String?,
            attributes: [String: String]
        ) {
            let element = Element(name, attributes)
            if let parent = self.open.last { parent.children.append(element) } else { self.root = element }
            self.open.append(element)
        }

        func parser(_ parser: XMLParser, foundCharacters text: String) { self.open.last?.text += text }

        func parser(
            _ parser: XMLParser, didEndElement name: String, namespaceURI: String?, qualifiedName: String?
        ) {
            self.open.removeLast()
        }
    }
}
