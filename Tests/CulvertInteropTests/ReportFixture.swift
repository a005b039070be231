import CulvertInterop
import Foundation

/// What peers may say, to be shown and never obeyed.
enum Hostile {
    static let script = "<script>alert(\"x\")</script> & 'quoted' ]]> | `code` *bold* [a](b)"
    static let control = "\u{1B}[2J\u{1B}]0;title\u{7}\r\nsecond line\u{0}\u{9B}31m\u{202E}esrever\u{FFFE}"
    static let long = String(repeating: "0123456789", count: 300)
}

extension Report {
    /// 2031-04-05 06:07:08 UTC.
    static let date = Date(timeIntervalSince1970: 1_933_135_628)

    /// A report that holds a pass, a failure of each trouble and each reason why a check is not tried.
    static let mixed: Report = {
        let servers = Section(
            name: "servers", title: "Servers through CONNECT",
            rows: ["Tornado", "libwebsockets", "proxy.py", "Yaws"],
            columns: ["text", "close-4999", "compression"])
        let public_ = Section(name: "public", title: "Public servers", rows: ["echo"], columns: ["text"])
        return Report(
            date: Self.date, system: "Linux 6.1 x86_64",
            parts: [
                Part(name: "culvert", title: "culvert", kind: .own, version: "1.0.0"),
                Part(name: "libcurl", title: "libcurl", kind: .library, version: "7.88.1"),
                Part(name: "tornado", title: "Tornado", kind: .server, version: "6.4.1"),
                Part(name: "yaws", title: "Yaws", kind: .server, version: nil),
                Part(name: "squid", title: "Squid", kind: .proxy, version: "5.7"),
            ],
            sections: [servers, public_],
            results: [
                check("Tornado", "text", "culvert", "ws", .pass, milliseconds: 12.25),
                check("Tornado", "text", "culvert", "wss", .pass),
                check("Tornado", "text", "libcurl", "ws", .pass),
                check("Tornado", "close-4999", "culvert", "ws", .fail(.mismatch, Hostile.script)),
                check("Tornado", "close-4999", "libcurl", "ws", .pass),
                check("Tornado", "compression", "culvert", "ws", .pass),
                check("Tornado", "compression", "libcurl", "ws", .unavailable(.unsupported, "no codec")),
                check("libwebsockets", "text", "culvert", "ws", .fail(.timedOut, Hostile.long)),
                check(
                    "libwebsockets", "compression", "culvert", "ws",
                    .unavailable(.unsupported, "built without")),
                check(
                    "libwebsockets", "compression", "libcurl", "ws",
                    .unavailable(.unsupported, "built without")),
                check(
                    "proxy.py", "text", "culvert", "ws", .fail(.proxyRefused(status: 403), Hostile.control)),
                check("Yaws", "text", "culvert", "ws", .unavailable(.missing, "apt-get install yaws")),
                check("Yaws", "close-4999", "culvert", "ws", .unavailable(.missing, "apt-get install yaws")),
                check("Yaws", "compression", "culvert", "ws", .unavailable(.missing, "apt-get install yaws")),
                check(
                    "echo", "text", "culvert", "", .unavailable(.unreachable, "name not resolved"),
                    section: "public"),
            ],
            duration: .milliseconds(73042), command: "culvert interop --json <file>")
    }()

    static let empty = Report(
        date: Self.date, system: "", parts: [], sections: [], results: [], duration: .zero)

    /// A report with some results of one section and nothing else.
    static func of(_ results: [CheckResult], requiresPeers: Bool = false) -> Report {
        Report(
            date: Self.date, system: "test", parts: [], sections: [], results: results, duration: .seconds(1),
            requiresPeers: requiresPeers)
    }
}

func check(
    _ row: String, _ column: String, _ client: String = "culvert", _ variant: String = "",
    _ verdict: Verdict = .pass,
    milliseconds: Double = 1, section: String = "servers"
) -> CheckResult {
    CheckResult(
        section: section, row: row, column: column, client: client, variant: variant, verdict: verdict,
        duration: .microseconds(Int64(milliseconds * 1000)))
}
