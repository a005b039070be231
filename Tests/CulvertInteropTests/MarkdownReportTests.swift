import CulvertInterop
import Testing

@Suite("Markdown reports")
struct MarkdownReportTests {
    private let text = MarkdownReport(.mixed).text

    @Test("matrices are tables with numbered notes")
    func table() {
        let lines = self.text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        #expect(
            Array(lines[2..<10]) == [
                "### Servers through CONNECT", "",
                "|  | text | close-4999 | compression |",
                "|:--|:-:|:-:|:-:|",
                "| Tornado | ✓ | ✗¹ | ✓² |",
                "| libwebsockets | ✗³ |  | –⁴ |",
                "| proxy.py | ✗⁵ |  |  |",
                "| Yaws | –⁶ | –⁶ | –⁶ |",
            ])
        #expect(self.text.contains("\n² libcurl (ws): unsupported: no codec\\\n"))
        #expect(self.text.contains("\n⁶ missing: apt-get install yaws\n"))
    }

    @Test("the run is dated and its parts have versions, a line for each kind")
    func versions() {
        #expect(
            self.text.hasPrefix(
                "Run of 2031-04-05 06:07 UTC on Linux 6.1 x86\\_64 (culvert interop --json \\<file\\>): 5 passed"
            ))
        #expect(
            self.text.contains("\n### Versions\n\n- Culvert: culvert 1.0.0\n- Libraries: libcurl 7.88.1\n"))
        #expect(self.text.contains("\n- Servers: Tornado 6.4.1, Yaws (missing)\n"))
    }

    @Test("a peer's text makes no markup, no cell and no line, and is short")
    func hostile() {
        #expect(
            self.text.contains(
                "\\<script\\>alert(\"x\")\\</script\\> \\& 'quoted' \\]\\]\\> \\| \\`code\\` \\*bold\\*"))
        #expect(self.text.contains("\\\\u{1b}\\[2J"))
        #expect(!self.text.contains(String(repeating: "0123456789", count: 21)))
        let rows = self.text.split(separator: "\n").filter { $0.hasPrefix("|") }
        let bars = rows.prefix(6).map { row in row.replacing("\\|", with: "").filter { $0 == "|" }.count }
        #expect(Set(bars) == [5])
    }

    @Test("a name with a bar stays in its cell, whatever sits on the bar")
    func bars() {
        let text = MarkdownReport(.of([check("a|b", "c|\u{301}d")])).text
        #expect(text.contains("| a\\|b | ✓ |"))
        #expect(text.unicodeScalars.contains("\u{301}"))
        #expect(text.contains("c\\|\u{301}d"))
    }

    @Test("ten notes and more have their numbers")
    func manyNotes() {
        let results = (1...12).map { check("a", "\($0)", "culvert", "", .fail(.other, "reason \($0)")) }
        #expect(MarkdownReport(.of(results)).text.contains("\n¹² error: reason 12\n"))
    }

    @Test("headings fit where the text goes, and an empty report has none")
    func headings() {
        #expect(MarkdownReport(.mixed, headingLevel: 4).text.contains("\n#### Versions\n"))
        #expect(
            MarkdownReport(.empty).text.contains(
                "0 passed, 0 failed, 0 unavailable in 0 ms; no check was run."))
        #expect(!MarkdownReport(.empty).text.contains("#"))
    }
}
