import CulvertInterop
import Testing

@Suite("HTML reports")
struct HTMLReportTests {
    private let page = HTMLReport(.mixed).text

    @Test("the page needs nothing from elsewhere and runs nothing")
    func selfContained() {
        for foreign in ["<script", "src=", "url(", "@import", "<link", "<img", "<iframe", "http:", "https:"] {
            #expect(!self.page.contains(foreign), "\(foreign)")
        }
        #expect(self.page.matches(of: /\ on[a-z]+=/).isEmpty)
        #expect(self.page.contains("default-src 'none'; style-src 'unsafe-inline'"))
    }

    @Test("failures stand before the matrices, reasons and versions behind")
    func order() {
        let anchors = ["failures", "section-0", "section-1", "unavailable", "versions"]
        let places = anchors.compactMap { self.page.firstRange(of: "<section id=\"\($0)\">")?.lowerBound }
        #expect(places.count == anchors.count)
        #expect(places == places.sorted())
    }

    @Test("hostile text stays text and whole")
    func hostile() {
        #expect(
            self.page.contains(
                "&lt;script&gt;alert(&quot;x&quot;)&lt;/script&gt; &amp; &#39;quoted&#39; ]]&gt;"))
        #expect(self.page.contains("\\u{1b}[2J"))
        #expect(self.page.contains(Hostile.long))
        let controls = self.page.unicodeScalars.filter {
            $0 != "\n" && $0.properties.generalCategory == .control
        }
        #expect(controls.isEmpty)
        #expect(!self.page.contains("\u{202E}"))
    }

    @Test("hostile names break no attribute")
    func hostileNames() {
        let name = "\" onclick=\"alert(1)\" <b>\u{1B}"
        let page = HTMLReport(.of([check(name, name, name, name, .pass, section: name)])).text
        #expect(!page.contains("<b>\\u"))
        #expect(page.matches(of: /="[^"]*" onclick/).isEmpty)
    }

    @Test("each button opens a cell that is there, once")
    func popovers() {
        let targets = self.page.matches(of: /popovertarget="([^"]+)" title=/).map { String($0.1) }
        let details = self.page.matches(of: /<div popover id="([^"]+)"/).map { String($0.1) }
        #expect(targets == details)
        #expect(Set(targets).count == 10)
        #expect(self.page.matches(of: /class="time"/).count == Report.mixed.results.count)
    }

    @Test("states and versions are shown")
    func states() {
        #expect(self.page.contains("aria-label=\"Tornado, compression: passed where it could be tried\""))
        #expect(self.page.contains("aria-label=\"Yaws, text: unavailable\""))
        #expect(self.page.contains("<dt>Tornado</dt><dd>6.4.1</dd>"))
        #expect(self.page.contains("<dt>Yaws</dt><dd class=\"none\">missing</dd>"))
        #expect(self.page.contains("<h1 class=\"failed\">3 of 15 checks failed</h1>"))
        #expect(self.page.contains("2031-04-05 06:07 UTC"))
        #expect(self.page.contains("culvert interop --json &lt;file&gt;"))
    }

    static let headlines: [(Report, String)] = [
        (.empty, "Nothing could be tried"),
        (.of([check("a", "b")]), "The only check passed"),
        (
            .of([check("a", "b"), check("a", "c", "", "", .unavailable(.unsupported, ""))]),
            "1 passed, none failed"
        ),
        (.of([check("a", "c", "", "", .unavailable(.unreachable, ""))]), "No target answered"),
        (
            .of([check("a", "b"), check("a", "c", "", "", .unavailable(.missing, ""))], requiresPeers: true),
            "Peers are missing"
        ),
    ]

    @Test("the headline is the outcome", arguments: headlines)
    func headline(report: Report, headline: String) {
        #expect(HTMLReport(report).text.contains(">\(headline)</h1>"))
    }
}
