import CulvertInterop
import CulvertProxy
import Foundation
import Testing

/// `culvert proxy --config`: the file, its check and its reload.
@Suite("the configuration file of culvert proxy", .serialized, .timeLimit(.minutes(3)))
struct ProxyConfigurationTests {
    private func file(_ text: String) throws -> URL {
        let url = try Workspace.directory("config").appendingPathComponent("culvert.yaml")
        try Workspace.write(text, to: url)
        return url
    }

    private func status(_ target: String, _ proxy: CulvertProxyProcess) async throws -> String {
        let connection = try await proxy.connect()
        try await connection.send("CONNECT \(target) HTTP/1.1\r\nHost: a\r\n\r\n")
        let answer = try await connection.receive(until: "\r\n\r\n")
        await connection.close()
        return String(answer.prefix(12))
    }

    private func said(_ words: String, by proxy: CulvertProxyProcess) async throws {
        try await eventually("the proxy says \(words)") { proxy.process.errors.text.contains(words) }
    }

    @Test("every setting has a flag, and the help tells it")
    func flags() async throws {
        let help = try await CulvertCommand.run(["proxy", "--help"]).text
        for key in ConfigurationKey.all { #expect(help.contains("--\(key.name)"), "\(key.name)") }
    }

    @Test("--check says ok, or the line and the key, with exit code 78")
    func check() async throws {
        let good = try self.file("guard: on\nhead-timeout: 5s\n")
        let result = try await CulvertCommand.run(["proxy", "--check", good.path])
        #expect(result.status == 0)
        #expect(result.text == "\(good.path): ok\n")
        try Workspace.write("guard: on\nhead-timeuot: 5s\n", to: good)
        let bad = try await CulvertCommand.run(["proxy", "--check", good.path])
        #expect(bad.status == 78)
        #expect(
            bad.errors.contains(
                "\(good.path):2: head-timeuot: there is no such setting; did you mean head-timeout?"))
        let started = try await CulvertCommand.run(["proxy", "--config", good.path])
        #expect(started.status == 78)
        #expect(try await CulvertCommand.run(["proxy", "--check", "/nonexistent/culvert.yaml"]).status == 78)
    }

    @Test("a reload by SIGHUP counts for new requests, and an open tunnel goes on")
    func reload() async throws {
        let origin = try await ObedientOrigin()
        let target = "127.0.0.1:\(origin.port)"
        let file = try self.file("guard: off\nwatch: no\n")
        let proxy = try await CulvertProxyProcess(["--config", file.path])
        let tunnel = try await proxy.connect()
        try await tunnel.send("CONNECT \(target) HTTP/1.1\r\nHost: a\r\n\r\n")
        _ = try await tunnel.receive(until: "\r\n\r\n")

        try Workspace.write("guard: on\nwatch: no\nlisten: 127.0.0.1:1\n", to: file)
        proxy.process.signal(SIGHUP)
        try await self.said("reloaded the configuration", by: proxy)
        #expect(try await self.status(target, proxy) == "HTTP/1.1 403")
        try await tunnel.send("still here")
        _ = try await tunnel.receive(until: "still here")
        await tunnel.close()
    }

    @Test("a bad file keeps the old configuration and says where it is bad")
    func badReload() async throws {
        let origin = try await ObedientOrigin()
        let target = "127.0.0.1:\(origin.port)"
        let file = try self.file("guard: on\nwatch: no\n")
        let proxy = try await CulvertProxyProcess(["--config", file.path])
        #expect(try await self.status(target, proxy) == "HTTP/1.1 403")
        for (text, words) in [
            ("guard: off\nhead-timeout: soon\n", "\(file.path):2: head-timeout: 'soon' is no duration"),
            ("guard: off\nupstream: https://127.0.0.1:1\nupstream-ca: /nonexistent/ca\n", "/nonexistent/ca"),
        ] {
            try Workspace.write(text, to: file)
            proxy.process.signal(SIGHUP)
            try await self.said(words, by: proxy)
            #expect(try await self.status(target, proxy) == "HTTP/1.1 403")
        }
        #expect(proxy.process.errors.text.contains("the old configuration stays"))
    }

    @Test("a change of the file is noticed without a signal")
    func watch() async throws {
        let origin = try await ObedientOrigin()
        let file = try self.file("guard: off\n")
        let proxy = try await CulvertProxyProcess(["--config", file.path])
        #expect(try await self.status("127.0.0.1:\(origin.port)", proxy) == "HTTP/1.1 200")
        try Workspace.write("guard: on\n", to: file)
        try await self.said("reloaded the configuration", by: proxy)
        #expect(try await self.status("127.0.0.1:\(origin.port)", proxy) == "HTTP/1.1 403")
    }

    @Test("what only a restart changes is told")
    func restart() async throws {
        let file = try self.file("access-log: '-'\nwatch: no\n")
        let proxy = try await CulvertProxyProcess(["--config", file.path])
        try Workspace.write("access-log: /nonexistent/log\nwatch: no\n", to: file)
        proxy.process.signal(SIGHUP)
        try await self.said("the new access-log counts after a restart", by: proxy)
    }

    @Test("the environment gives settings too")
    func environment() async throws {
        let result = try await CulvertCommand.run(
            ["proxy", "--listen", "127.0.0.1:0"], environment: ["CULVERT_IDLE_TIMEOUT": "soon"])
        #expect(result.status == 64)
        #expect(result.errors.contains("CULVERT_IDLE_TIMEOUT: 'soon' is no duration"), "\(result.errors)")
    }
}
