import CulvertInterop
import Foundation
import Testing

/// Tools that go through a proxy for plain HTTP, each as its users call it.
@Suite(
    "other clients of plain HTTP through culvert proxy", .serialized, .timeLimit(.minutes(5)),
    .requires(.python3))
struct ForwardingClientTests {
    @Test("wget gets pages and posts files", .requires(.wget))
    func wget() async throws {
        let origin = try await Origins.shared.plainWeb()
        let proxy = try await CulvertProxyProcess()
        let body = try Workspace.directory("wget").appendingPathComponent("body")
        try Workspace.write("hello", to: body)
        let environment = ["http_proxy": proxy.url, "no_proxy": ""]
        let pages = (1...5).map { origin.url("/hello?\($0)") }
        let pagesResult = try await Command.run(["wget", "-nv", "-O", "-"] + pages, environment: environment)
        #expect(pagesResult.text == String(repeating: "hello from the origin\n", count: 5))
        let post = try await Command.run(
            ["wget", "-q", "-O", "-", "--post-file", body.path, origin.url("/sink")], environment: environment
        )
        #expect(post.text.hasSuffix(" 5\n"))
        try await eventually("six lines") { try proxy.log().count == 6 }
        #expect(Set(try proxy.log().compactMap(\.client)).count == 2, "wget keeps its connection")
    }

    @Test("Python requests: a session, a streamed upload, HEAD, a large answer")
    func requests() async throws {
        let origin = try await Origins.shared.plainWeb()
        let proxy = try await CulvertProxyProcess.authenticating()
        let script = """
            import hashlib, sys, requests
            base, proxy = sys.argv[1:]
            session = requests.Session()
            session.trust_env = False
            session.proxies = {"http": proxy}
            for number in range(10):
                answer = session.get(f"{base}/hello?{number}")
                assert (answer.status_code, answer.text) == (200, "hello from the origin\\n"), answer.text
            pieces = [bytes([n]) * 1000 for n in range(100)]
            answer = session.put(f"{base}/sink", data=iter(pieces))
            assert answer.text == hashlib.sha256(b"".join(pieces)).hexdigest() + " 100000\\n", answer.text
            assert session.get(f"{base}/nothing").status_code == 404
            answer = session.head(f"{base}/hello")
            assert answer.status_code == 501, answer
            answer = session.get(f"{base}/bytes/1000000")
            assert len(answer.content) == 1000000
            print("fine")
            """
        let url = "http://alice:secret@127.0.0.1:\(proxy.port)"
        let result = try await Command.run([PeerPython.path, "-c", script, origin.url(""), url])
        #expect(result.text == "fine\n", "\(result.errors)")
        try await eventually("fourteen lines") { try proxy.log().count == 14 }
        #expect(try proxy.log().allSatisfy { $0.user == "alice" })
    }

    @Test("Chromium loads a page of a hundred resources", .requires(.chromium))
    func chromium() async throws {
        let origin = try await Origins.shared.plainWeb()
        let proxy = try await CulvertProxyProcess()
        let profile = try Workspace.directory("chromium")
        let result = try await Command.run(
            [
                "chromium", "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
                "--no-first-run", "--disable-background-networking", "--disable-component-update",
                "--user-data-dir=\(profile.path)", "--proxy-server=\(proxy.url)",
                "--proxy-bypass-list=<-loopback>", "--timeout=60000", "--dump-dom", origin.url("/page/100"),
            ], within: .seconds(120))
        #expect(result.text.contains("loaded 100 of 100"), "\(result.errors.suffix(500))")
        try await eventually("a line for each") {
            try proxy.log().filter { $0.target?.contains("/picture/") == true && $0.status == 200 }.count
                == 100
        }
        // Six at a time, as browsers do.
        let clients = Set(
            try proxy.log().filter { $0.target?.contains("/picture/") == true }.compactMap(\.client))
        #expect(clients.count <= 12, "\(clients.count) connections: they do not persist")
    }

    @Test("apt updates its lists and fetches a package", .requires(.aptGet, .curl))
    func apt() async throws {
        let mirror = "http://deb.debian.org/debian"
        try await Self.skipUnlessReachable("\(mirror)/dists/bookworm/InRelease")
        let proxy = try await CulvertProxyProcess()
        let directory = try Workspace.directory("apt")
        let sources = directory.appendingPathComponent("sources.list")
        let keys = "/usr/share/keyrings/debian-archive-keyring.gpg"
        try Workspace.write("deb [signed-by=\(keys)] \(mirror) bookworm-updates main\n", to: sources)
        for folder in ["lists/partial", "cache/archives/partial"] {
            try FileManager.default.createDirectory(
                at: directory.appendingPathComponent(folder), withIntermediateDirectories: true)
        }
        let options = [
            "Dir::Etc::SourceList=\(sources.path)", "Dir::Etc::SourceParts=/dev/null",
            "Dir::State::Lists=\(directory.path)/lists", "Dir::Cache=\(directory.path)/cache",
            "APT::Sandbox::User=root", "Acquire::http::Proxy=\(proxy.url)", "Acquire::Languages=none",
        ].flatMap { ["-o", $0] }
        let update = try await Command.run(["apt-get"] + options + ["update"], within: .seconds(180))
        #expect(update.status == 0, "\(update.errors)")
        #expect(
            try proxy.log().contains {
                $0.method == "GET" && $0.target?.hasPrefix(mirror) == true && $0.status == 200
            })
        #expect(!update.errors.contains("W:"), "\(update.errors)")
    }

    @Test("pip downloads a package", .requires(.curl))
    func pip() async throws {
        try await Self.skipUnlessReachable("https://pypi.org/simple/six/")
        let proxy = try await CulvertProxyProcess()
        let directory = try Workspace.directory("pip")
        let result = try await Command.run(
            [
                PeerPython.path, "-m", "pip", "download", "--quiet", "--disable-pip-version-check",
                "--no-deps",
                "--no-cache-dir", "--proxy", proxy.url, "--dest", directory.path, "six==1.17.0",
            ], within: .seconds(180))
        #expect(result.status == 0, "\(result.errors)")
        #expect(
            try FileManager.default.contentsOfDirectory(atPath: directory.path).contains {
                $0.hasPrefix("six-")
            })
        try await eventually("the tunnel's line") {
            try proxy.log().contains { $0.method == "CONNECT" && $0.status == 200 }
        }
    }

    private static func skipUnlessReachable(_ url: String) async throws {
        let answer = try await Command.run(["curl", "-sSfI", "--max-time", "20", url], within: .seconds(30))
        if answer.status != 0 {
            try Test.cancel("\(url) cannot be reached from here: \(answer.lastErrorLine)")
        }
    }
}
