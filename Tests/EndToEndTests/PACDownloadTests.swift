import CulvertInterop
import CulvertTunnel
import Foundation
import Testing

/// Scripts that come over the network.
@Suite("proxy auto-configuration from the web", .timeLimit(.minutes(3)), .requires(.openssl, .python3, .curl))
struct PACDownloadTests {
    private func script(via proxy: CulvertProxyProcess) -> String {
        "function FindProxyForURL(url, host) { return 'PROXY 127.0.0.1:\(proxy.port)'; }"
    }

    @Test("an https URL is fetched from a server that the given authority vouches for")
    func secure() async throws {
        let certificates = try await TestCertificates.shared()
        let origin = try await ObedientOrigin(greeting: "hello")
        let parent = try await CulvertProxyProcess()
        let web = try await FileServer(["proxy.pac": self.script(via: parent)], tls: certificates)
        let command = ["connect", "127.0.0.1:\(origin.port)", "--pac", web.url("/proxy.pac"), "--proxy-ca"]
        let client = try await CulvertCommand.run(command + [certificates.authority])
        #expect(client.text == "hello", "\(client.errors)")
        let proxy = try await CulvertProxyProcess([
            "--pac", web.url("/proxy.pac"), "--upstream-ca", certificates.authority,
        ])
        let through = try await CulvertCommand.run([
            "connect", "127.0.0.1:\(origin.port)", "--proxy", proxy.url,
        ])
        #expect(through.text == "hello", "\(through.errors)")
        try await eventually("both went through the parent of the script") {
            try parent.log().count { $0.target == "127.0.0.1:\(origin.port)" } == 2
        }
    }

    @Test(
        "a server with another authority, or with TLS where none is expected, gives no script, and nothing goes out"
    )
    func wrongAuthority() async throws {
        let certificates = try await TestCertificates.shared()
        let origin = try await ObedientOrigin(greeting: "hello")
        let web = try await FileServer(
            ["proxy.pac": "function FindProxyForURL() { return 'DIRECT'; }"], tls: certificates)
        for (url, trust) in [
            (web.url("/proxy.pac"), ["--proxy-ca", certificates.otherAuthority]),
            (web.url("/proxy.pac"), []),
            (web.url("/proxy.pac").replacingOccurrences(of: "https", with: "http"), []),
        ] {
            let result = try await CulvertCommand.run(
                ["connect", "127.0.0.1:\(origin.port)", "--pac", url] + trust)
            #expect(result.status == 78, "\(result.errors)")
            #expect(result.errors.contains("\(url): "), "\(result.errors)")
            if url.hasPrefix("https") {
                #expect(
                    result.errors.contains("the TLS handshake with localhost failed"), "\(result.errors)")
            }
        }
        // A proxy that runs may wait for its script's server; what it decides nothing for goes nowhere.
        let proxy = try await CulvertProxyProcess([
            "--pac", web.url("/proxy.pac"), "--upstream-ca", certificates.otherAuthority,
        ])
        let refused = try await CulvertCommand.run([
            "connect", "127.0.0.1:\(origin.port)", "--proxy", proxy.url,
        ])
        #expect(refused.status == 4, "\(refused.errors)")
        let line = try await proxy.logLine(for: "127.0.0.1:\(origin.port)")
        #expect(line.reason?.contains("the TLS handshake with localhost failed") == true, "\(line)")
        #expect(origin.accepted == 0)
    }

    @Test("a script of a URL is asked for again; one that is not there any more still counts, with a warning")
    func refresh() async throws {
        let plain = try await FileServer(["page": "plain\n"])
        let parent = try await CulvertProxyProcess()
        let web = try await FileServer(["proxy.pac": self.script(via: parent)])
        let proxy = try await CulvertProxyProcess(["--pac", web.url("/proxy.pac"), "--pac-refresh", "200ms"])
        func fetch() async throws {
            let page = try await Command.run(["curl", "-sS", "-x", proxy.url, plain.url("/page")])
            #expect(page.text == "plain\n", "\(page.errors)")
        }
        func parents() throws -> [String?] {
            try proxy.log().filter { $0.target == plain.url("/page") }.map(\.parent)
        }
        try await eventually("it is asked for again, and is the same") {
            try await fetch()
            return web.log.contains("\"GET /proxy.pac HTTP/1.1\" 304")
        }
        #expect(try parents().allSatisfy { $0 == parent.url })

        try web.replace("proxy.pac", by: "function FindProxyForURL() { return 'DIRECT'; }")
        try await eventually("the changed script counts") {
            try await fetch()
            return try parents().contains(nil)
        }
        #expect(!proxy.process.errors.text.contains("still counts"))

        try await web.stop()
        try await eventually("the warning") {
            try await fetch()
            return proxy.process.errors.text.contains("the script fetched before still counts")
        }
        try await fetch()
        #expect(try parents().last == .some(nil))
    }
}
