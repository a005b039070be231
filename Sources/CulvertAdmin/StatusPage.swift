/// The status page as HTML that is whole without JavaScript: then it loads itself again every five seconds. The
/// script beside it fills the same elements with what the WebSocket brings, and draws the plots.
struct StatusPage {
    private let report: StatusReport

    static func html(_ report: StatusReport) -> String { StatusPage(report: report).document }

    private var document: String {
        """
        <!doctype html>
        <html lang="en">
        <head>
        <meta charset="utf-8">
        <meta name="viewport" content="width=device-width, initial-scale=1">
        <meta name="color-scheme" content="light dark">
        <title>Culvert status</title>
        <link rel="icon" href="/icon.svg" type="image/svg+xml">
        <link rel="stylesheet" href="/status.css">
        <script src="/status.js" defer></script>
        <noscript><meta http-equiv="refresh" content="5"></noscript>
        </head>
        <body>
        <header>
        <h1><img src="/icon.svg" alt="">Culvert</h1>
        <span class="pill \(report.state)" id="state">\(HTMLText(report.state))</span>
        <span class="pill" id="connection" hidden>connecting</span>
        <p class="where" id="where">\(HTMLText(report.listeners.joined(separator: ", ")))</p>
        <p id="uptime">up \(HTMLText.duration(report.uptime))</p>
        </header>
        \(self.tiles)
        <main>
        \(Self.plots)
        \(self.destinations)
        <div class="stack">
        \(self.refusals)
        \(self.parents)
        </div>
        \(self.tunnels)
        </main>
        <footer><a href="/metrics">Metrics</a><a href="/status.json">JSON</a>Culvert \(HTMLText(report.version))</footer>
        </body>
        </html>

        """
    }

    private var tiles: String {
        let (now, process) = (report.now, report.process)
        let files = process.openDescriptors.map { "\($0) of \(process.maxDescriptors ?? 0) files" }
        return """
            <dl class="tiles">
            \(Self.tile("Open tunnels", "open", "\(report.tunnelsOpen)", "connections", "\(report.connectionsOpen) client connections"))
            \(Self.tile("Tunnels opened", "opened", "\(report.tunnelsOpened)", "opened-rate", "\(HTMLText.rate(now.opened)) per second"))
            \(Self.tile("To clients", "down", HTMLText.bytes(now.down) + "/s", "down-total", HTMLText.bytes(Double(report.bytesDown)) + " in all"))
            \(Self.tile("To targets", "up", HTMLText.bytes(now.up) + "/s", "up-total", HTMLText.bytes(Double(report.bytesUp)) + " in all"))
            \(Self.tile("Refused", "refused", "\(report.refused)", "refused-share", "of \(report.requests) requests"))
            \(Self.tile("Memory", "memory", process.residentBytes.map(HTMLText.bytes) ?? "–", "process", files ?? ""))
            </dl>
            """
    }

    private static func tile(
        _ name: String, _ id: String, _ value: String, _ subID: String, _ sub: String
    ) -> String {
        """
        <div><dt>\(name)</dt><dd class="big" id="\(id)">\(value)</dd><dd class="sub" id="\(subID)">\(sub)</dd></div>
        """
    }

    private static let plots = [
        plot("throughput", "Throughput", ["to clients", "to targets"]),
        plot("concurrency", "Open tunnels", ["open"]),
        plot("arrivals", "Arrivals", ["tunnels opened", "requests ended"]),
        plot("denials", "Refusals", ["refused"]),
    ].joined(separator: "\n")

    private static func plot(_ id: String, _ title: String, _ series: [String]) -> String {
        let legend = series.enumerated().map { index, name in
            "<span data-name=\"\(name)\"\(index == 0 ? "" : " class=\"second\"")>\(name) <b></b></span>"
        }
        return """
            <figure class="card plot" id="\(id)"><figcaption><h2>\(title)</h2><div class="legend">\(legend.joined())</div></figcaption><div class="area"></div></figure>
            """
    }

    private var destinations: String {
        Self.table(
            "destinations", "Top destinations", "since the start", "Destination", ["Requests", "Bytes"],
            report.destinations.map {
                [
                    Self.name($0.target), Self.number("\($0.requests)"),
                    Self.number(HTMLText.bytes(Double($0.bytes))),
                ]
            }, empty: "Nothing was reached yet.")
    }

    private var refusals: String {
        Self.table(
            "refusals", "Refusals by rule", "since the start", "Rule", ["Requests"],
            report.refusals.map { [Self.name($0.rule), Self.number("\($0.count)")] },
            empty: "Nothing was refused.")
    }

    private var parents: String {
        Self.table(
            "parents", "Parents", "as the traffic found them", "Parent",
            ["State", "Tunnels", "Failures", "Last"],
            report.parents.map { parent in
                let (word, kind) =
                    switch (parent.isUp, parent.avoidedFor) {
                    case (_, let seconds?): ("avoided for \(HTMLText.duration(seconds))", "down")
                    case (nil, nil): ("not used yet", "")
                    case (true?, nil): ("up", "up")
                    case (false?, nil): ("failing", "down")
                    }
                let last = parent.isUp == false ? parent.sinceFailure : parent.sinceSuccess
                return [
                    Self.name(parent.parent, small: parent.isUp == false ? parent.lastError : nil),
                    "<td><span class=\"pill \(kind)\">\(word)</span></td>",
                    Self.number("\(parent.successes)"),
                    Self.number("\(parent.failures)"),
                    Self.number(last.map { HTMLText.duration($0) + " ago" } ?? "–", isMinor: true),
                ]
            }, empty: "Traffic goes out directly.", minor: ["Last"])
    }

    private var tunnels: String {
        Self.table(
            "tunnels", "Open tunnels", "the busiest", "Destination",
            ["Engine", "Open for", "To target", "To client", "Rate"],
            report.tunnels.map { tunnel in
                let who = [tunnel.user, tunnel.client].compactMap(\.self).joined(separator: " · ")
                return [
                    Self.name(tunnel.target, small: who),
                    "<td class=\"minor\">\(HTMLText(tunnel.engine))</td>",
                    Self.number(HTMLText.duration(tunnel.seconds), isMinor: true),
                    Self.number(HTMLText.bytes(Double(tunnel.up)), isMinor: true),
                    Self.number(HTMLText.bytes(Double(tunnel.down))),
                    Self.number(HTMLText.bytes(tunnel.rate) + "/s"),
                ]
            }, empty: "No tunnel is open.", minor: ["Engine", "Open for", "To target"],
            text: ["Engine"], isWide: true)
    }

    // MARK: Tables

    private static func table(
        _ id: String, _ title: String, _ remark: String, _ first: String, _ columns: [String],
        _ rows: [[String]], empty: String, minor: Set<String> = [], text: Set<String> = ["State"],
        isWide: Bool = false
    ) -> String {
        let heads = columns.map { column in
            let classes = [text.contains(column) ? "" : "num", minor.contains(column) ? "minor" : ""]
            return "<th scope=\"col\" class=\"\(classes.joined(separator: " "))\">\(column)</th>"
        }
        let body =
            rows.isEmpty
            ? "<tr><td class=\"empty\" colspan=\"\(columns.count + 1)\">\(empty)</td></tr>"
            : rows.map { "<tr>\($0.joined())</tr>" }.joined(separator: "\n")
        return """
            <section class="card\(isWide ? " wide" : "")" aria-labelledby="\(id)-title">
            <div class="head"><h2 id="\(id)-title">\(title)</h2><p>\(remark)</p></div>
            <div class="scroll"><table id="\(id)" class="\(id)"><thead><tr><th scope="col">\(first)</th>\(heads.joined())</tr></thead>
            <tbody>\(body)</tbody></table></div>
            </section>
            """
    }

    private static func name(_ name: String, small: String? = nil) -> String {
        "<td class=\"name\">\(HTMLText(name))\(small.map { "<small>\(HTMLText($0))</small>" } ?? "")</td>"
    }

    private static func number(_ text: String, isMinor: Bool = false) -> String {
        "<td class=\"num\(isMinor ? " minor" : "")\">\(HTMLText(text))</td>"
    }
}
