import CulvertInterop
import Foundation
import Testing

/// The status page in a real browser.
@Suite("the status page in Chromium", .serialized, .timeLimit(.minutes(5)))
struct StatusPageTests {
    private static func text(_ id: String) -> String { "document.getElementById('\(id)').textContent" }

    private func browse(_ port: Int, _ steps: [[Any]]) async throws -> LeashedProcess {
        let json = try JSONSerialization.data(withJSONObject: steps)
        return try await LeashedProcess([
            PeerPython.path, Workspace.peer("status_page.py"), "http://127.0.0.1:\(port)/",
            String(decoding: json, as: UTF8.self),
        ])
    }

    @Test(
        "figures appear, change with the traffic and fit a phone, and the console stays silent",
        .requires(.python3, .chromium))
    func live() async throws {
        let proxy = try await CulvertProxyProcess(["--admin", "127.0.0.1:0"])
        let origin = try await ObedientOrigin()
        let first = try await proxy.tunnel(to: origin.port)
        let pictures = try Workspace.directory("status-page")
        let shots: [[Any]] = [
            ("desktop-light", 1280, 900, "light"), ("desktop-dark", 1280, 900, "dark"),
            ("phone-light", 390, 844, "light"), ("phone-dark", 390, 844, "dark"),
        ].map { ["shot", "\(pictures.path)/\($0.0).png", $0.1, $0.2, $0.3] }
        let isTooWide = "document.documentElement.scrollWidth > document.documentElement.clientWidth"
        let background = "getComputedStyle(document.body).backgroundColor"
        let steps: [[Any]] =
            [
                ["wait", "\(Self.text("connection")) == 'live'"], ["wait", "\(Self.text("open")) == '1'"],
                ["wait", "\(Self.text("tunnels")).includes('127.0.0.1:\(origin.port)')"],
                ["wait", "document.querySelector('#throughput path') != null"],
                ["value", "'first seen'"],
                ["wait", "\(Self.text("open")) == '2'"],
                ["wait", "\(Self.text("down-total")).includes('100 kB')"],
                ["wait", "\(Self.text("destinations")).includes('200 kB')"],
            ]
            + shots.flatMap { [$0, ["value", isTooWide], ["value", background]] } + [["problems"]]
        let browser = try await self.browse(proxy.adminPort(), steps)
        try await eventually("the first tunnel is shown: \(browser.errors.text)", within: .seconds(90)) {
            browser.output.lines.contains("value \"first seen\"") || browser.hasEnded
        }
        let second = try await proxy.tunnel(to: origin.port)
        let bytes = String(repeating: "x", count: 100_000)
        try await second.send(bytes)
        _ = try await second.receive(until: bytes, within: .seconds(60))

        #expect(try await browser.exit(within: .seconds(120)) == 0, "\(browser.errors.text)")
        let lines = browser.output.lines
        #expect(lines.last == "problems []")
        #expect(lines.filter { $0 == "value true" }.isEmpty, "wider than the screen: \(lines)")
        // Two schemes, two looks, twice each.
        #expect(Set(lines.filter { $0.hasPrefix("value \"rgb") }).count == 2)
        for shot in shots {
            let path = try (shot[1] as? String).unwrapped("a file")
            #expect(try Data(contentsOf: URL(fileURLWithPath: path)).count > 10_000)
        }
        await first.close()
        await second.close()
    }

    @Test("without JavaScript the page is a table of the same figures", .requires(.python3, .chromium))
    func withoutScript() async throws {
        let proxy = try await CulvertProxyProcess(["--admin", "127.0.0.1:0"])
        let origin = try await ObedientOrigin()
        let tunnel = try await proxy.tunnel(to: origin.port)
        let browser = try await self.browse(
            proxy.adminPort(),
            [
                ["script", false], ["wait", "\(Self.text("open")) == '1'"],
                ["value", "document.getElementById('connection').hidden"],
                ["value", "\(Self.text("tunnels")).includes('127.0.0.1:\(origin.port)')"], ["problems"],
            ])
        #expect(try await browser.exit(within: .seconds(120)) == 0, "\(browser.errors.text)")
        #expect(browser.output.lines.filter { $0 == "value true" }.count == 2, "\(browser.output.lines)")
        #expect(browser.output.lines.last == "problems []")
        await tunnel.close()
    }

    @Test("a page of somebody else's can neither listen nor read", .requires(.python3, .chromium))
    func foreignPage() async throws {
        let proxy = try await CulvertProxyProcess(["--admin", "127.0.0.1:0"])
        let other = try await CulvertProxyProcess(["--admin", "127.0.0.1:0"])
        let (target, place) = (try await proxy.adminPort(), try await other.adminPort())
        // The other listener's page would be allowed nothing by its own policy; a document without one asks.
        let open =
            "window.outcome = null, new Promise((done) => { const s = new WebSocket('ws://127.0.0.1:\(target)/events');"
            + "s.onopen = () => done('open'); s.onerror = () => done('refused'); }).then((o) => window.outcome = o), 1"
        let browser = try await self.browse(
            place,
            [["blank"], ["value", open], ["wait", "window.outcome != null"], ["value", "window.outcome"]])
        #expect(try await browser.exit(within: .seconds(120)) == 0, "\(browser.errors.text)")
        #expect(browser.output.lines.last == "value \"refused\"", "\(browser.output.lines)")
    }
}
