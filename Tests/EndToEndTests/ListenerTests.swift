import CulvertInterop
import Foundation
import Testing

/// Listeners that are no TCP port of the proxy's own, and the service manager that is told.
@Suite("listeners", .serialized, .timeLimit(.minutes(2)), .requires(.curl, .openssl, .python3))
struct ListenerTests {
    private func mode(_ path: String) throws -> Int? {
        try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int
    }

    private func fetch(throughSocket path: String) async throws -> CommandResult {
        let certificates = try await TestCertificates.shared()
        let origin = try await Origins.shared.web()
        // Python, because curl 7.88 takes no Unix socket for a proxy.
        let script = """
            import socket, ssl, sys
            s = socket.socket(socket.AF_UNIX); s.connect(sys.argv[1])
            s.sendall(f"CONNECT {sys.argv[2]} HTTP/1.1\\r\\nHost: {sys.argv[2]}\\r\\n\\r\\n".encode())
            head = b""
            while not head.endswith(b"\\r\\n\\r\\n"): head += s.recv(1)
            assert head.startswith(b"HTTP/1.1 200 "), head
            t = ssl.create_default_context(cafile=sys.argv[3]).wrap_socket(s, server_hostname="localhost")
            t.sendall(b"GET /hello HTTP/1.0\\r\\nHost: localhost\\r\\n\\r\\n")
            answer = b""
            while piece := t.recv(65536): answer += piece
            print(answer.decode().rsplit("\\r\\n", 1)[1], end="")
            """
        return try await Command.run([
            PeerPython.path, "-c", script, path, origin.authority, certificates.authority,
        ])
    }

    @Test("a Unix socket carries tunnels, has its mode, and is gone at the end")
    func unix() async throws {
        let path = try Workspace.directory("unix").appendingPathComponent("proxy.sock").path
        let proxy = try await CulvertProxyProcess(["--listen", "unix:\(path),mode=660"])
        #expect(try self.mode(path) == 0o660)
        let result = try await self.fetch(throughSocket: path)
        #expect(result.text == "hello from the origin\n", "\(result.errors)")
        let line = try await proxy.logLine(for: try await Origins.shared.web().authority)
        #expect(line.client == "unix")
        proxy.process.signal(SIGTERM)
        #expect(try await proxy.process.exit(within: .seconds(10)) == 0)
        #expect(!FileManager.default.fileExists(atPath: path))
    }

    @Test("only its owner may use one unless told")
    func defaultMode() async throws {
        let path = try Workspace.directory("unix").appendingPathComponent("proxy.sock").path
        let proxy = try await CulvertProxyProcess(["--listen", "unix:\(path)"])
        #expect(try self.mode(path) == 0o600)
        proxy.process.signal(SIGTERM)
        _ = try await proxy.process.exit(within: .seconds(10))
    }

    @Test("the file of a killed proxy is replaced, one that is in use or no socket is not")
    func stale() async throws {
        let path = try Workspace.directory("unix").appendingPathComponent("proxy.sock").path
        let killed = try await CulvertProxyProcess(["--listen", "unix:\(path)"])
        let inUse = try await CulvertCommand.run(["proxy", "--listen", "unix:\(path)"])
        #expect(inUse.status == 3, "\(inUse.errors)")
        #expect(inUse.errors.lowercased().contains("in use"), "\(inUse.errors)")
        killed.process.signal(SIGKILL)
        try await eventually("it ends") { killed.process.hasEnded }
        #expect(FileManager.default.fileExists(atPath: path))
        let next = try await CulvertProxyProcess(["--listen", "unix:\(path)"])
        #expect(try await self.fetch(throughSocket: path).text == "hello from the origin\n")
        next.process.signal(SIGTERM)
        _ = try await next.process.exit(within: .seconds(10))

        try Workspace.write("precious", to: URL(fileURLWithPath: path))
        let file = try await CulvertCommand.run(["proxy", "--listen", "unix:\(path)"])
        #expect(file.status == 3, "\(file.errors)")
        #expect(try String(contentsOfFile: path, encoding: .utf8) == "precious")
    }

    @Test("a PROXY header over a trusted Unix socket tells the client")
    func proxyProtocol() async throws {
        let path = try Workspace.directory("unix").appendingPathComponent("proxy.sock").path
        let proxy = try await CulvertProxyProcess([
            "--listen", "unix:\(path)", "--proxy-protocol-from", "unix", "--connect-port", "1",
        ])
        let script = """
            import socket, sys
            s = socket.socket(socket.AF_UNIX); s.connect(sys.argv[1])
            s.sendall(b"PROXY TCP6 2001:db8::7 2001:db8::8 40000 3128\\r\\nCONNECT a.test:2 HTTP/1.1\\r\\nHost: a\\r\\n\\r\\n")
            print(s.recv(12).decode())
            """
        let result = try await Command.run([PeerPython.path, "-c", script, path])
        #expect(result.text == "HTTP/1.1 403\n", "\(result.errors)")
        #expect(try await proxy.logLine(for: "a.test:2").client == "[2001:db8::7]:40000")
        proxy.process.signal(SIGTERM)
        _ = try await proxy.process.exit(within: .seconds(10))
    }

    @Test("systemd-socket-activate passes its socket on", .requires(.systemdSocketActivate))
    func activation() async throws {
        let origin = try await Origins.shared.web()
        let certificates = try await TestCertificates.shared()
        let port = try LoopbackPort.free()
        let process = try await LeashedProcess([
            "systemd-socket-activate", "-l", "127.0.0.1:\(port)", CulvertCommand.path, "proxy",
        ])
        try await eventually("it listens") { process.errors.text.contains("Listening on") }
        let result = try await Command.run([
            "curl", "-sS", "--proxy", "http://127.0.0.1:\(port)", "--cacert", certificates.authority,
            origin.url("/hello"),
        ])
        #expect(result.text == "hello from the origin\n", "\(result.errors)")
        #expect(
            process.errors.text.contains("culvert proxy: listening on 127.0.0.1:\(port)"),
            "\(process.errors.text)")
        process.signal(SIGTERM)
        #expect(try await process.exit(within: .seconds(20)) == 0)
    }

    @Test("sockets that were passed to another process are not taken; asking for them is an error")
    func notPassed() async throws {
        let environment = ["LISTEN_PID": "1", "LISTEN_FDS": "1"]
        let result = try await CulvertCommand.run(["proxy", "--listen", "systemd"], environment: environment)
        #expect(result.status == 3, "\(result.errors)")
        #expect(result.errors.contains("LISTEN_FDS"), "\(result.errors)")
    }

    @Test("the service manager is told of readiness, reload and stop")
    func notifications() async throws {
        let path = try Workspace.directory("notify").appendingPathComponent("notify.sock").path
        let script = """
            import socket, sys
            s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM); s.bind(sys.argv[1])
            print("bound", flush=True)
            while True: print(" ".join(s.recv(4096).decode().split()), flush=True)
            """
        let manager = try await LeashedProcess([PeerPython.path, "-c", script, path])
        try await eventually("it is bound") { manager.output.lines.first == "bound" }
        let proxy = try await CulvertProxyProcess([], environment: ["NOTIFY_SOCKET": path])
        try await eventually("ready") { manager.output.lines.last == "READY=1" }
        proxy.process.signal(SIGHUP)
        try await eventually("reloaded") { manager.output.lines.count == 4 }
        #expect(manager.output.lines[2].hasPrefix("RELOADING=1 MONOTONIC_USEC="))
        #expect(manager.output.lines[3] == "READY=1")
        proxy.process.signal(SIGTERM)
        try await eventually("stopping") { manager.output.lines.last == "STOPPING=1" }
        #expect(try await proxy.process.exit(within: .seconds(10)) == 0)
        try await manager.stop()
    }
}
