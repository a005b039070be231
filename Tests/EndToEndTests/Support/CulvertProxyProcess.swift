import CulvertInterop
import Foundation

/// A running `culvert proxy` on a free loopback port.
struct CulvertProxyProcess: Sendable {
    /// The fields of an access-log line that tests look at.
    struct LogLine: Decodable {
        var client: String?
        var method: String?
        var target: String?
        var status: Int?
        var decision: String?
        var rule: String?
        var enforced: String?
        var limit: String?
        var reason: String?
        var user: String?
        var address: String?
        var parent: String?
        var bytesUp: Int?
        var bytesDown: Int?
        var milliseconds: Double?
        var closedBy: String?
    }

    let process: LeashedProcess
    let port: Int

    var url: String { "http://127.0.0.1:\(self.port)" }

    /// - Parameter maxDescriptors: how many the process may have; nil is as many as this one.
    init(
        _ arguments: [String] = [], listen: String = "127.0.0.1:0", environment: [String: String] = [:],
        maxDescriptors: Int? = nil
    ) async throws {
        let limit = maxDescriptors.map { ["sh", "-c", "ulimit -n \($0) && exec \"$@\"", "sh"] } ?? []
        self.process = try await LeashedProcess(
            limit + [CulvertCommand.path, "proxy", "--listen", listen] + arguments, environment: environment)
        self.port = try await self.process.port(
            after: "culvert proxy: listening on ", in: self.process.errors)
    }

    /// One that asks for `alice` and `secret`.
    static func authenticating(_ arguments: [String] = []) async throws -> CulvertProxyProcess {
        let file = try Workspace.directory("users").appendingPathComponent("users")
        try Workspace.write(
            """
            # name:hash, of `secret` and `pass:with:colons`
            alice:$5$rounds=1000$alicesalt$dlvYxmwNnwG3kQzW6.qqu0CVd4GEyLq/Dpa3WQVtIk0
            bob:$5$rounds=1000$bobsalt$L/6tpVfLgghS4gQAcMOIj.uOcq/FxT34DldO7JHS6wB
            """, to: file)
        return try await CulvertProxyProcess(["--users-file", file.path] + arguments)
    }

    /// One with a certificate for localhost.
    static func withTLS(_ arguments: [String] = []) async throws -> CulvertProxyProcess {
        let certificates = try await TestCertificates.shared()
        return try await CulvertProxyProcess(
            ["--tls-cert", certificates.certificate, "--tls-key", certificates.key] + arguments)
    }

    /// The port of its admin listener, which `--admin 127.0.0.1:0` opens.
    func adminPort() async throws -> Int {
        try await self.process.port(after: "culvert proxy: admin listener on ", in: self.process.errors)
    }

    /// The access log's lines so far; throws where one is not JSON.
    ///
    /// Waits first: lines are written in batches, each up to 20 ms late.
    func log() throws -> [LogLine] {
        usleep(100_000)
        return try self.process.output.lines.map {
            try JSONDecoder().decode(LogLine.self, from: Data($0.utf8))
        }
    }

    /// Waits for the line of a request for `target`.
    func logLine(for target: String) async throws -> LogLine {
        var found: LogLine?
        try await eventually("an access-log line for \(target)") {
            found = try self.log().first { $0.target == target }
            return found != nil
        }
        return try found.unwrapped("an access-log line for \(target)")
    }

    /// How many descriptors the process holds; nil where /proc does not say.
    var descriptorCount: Int? {
        try? FileManager.default.contentsOfDirectory(atPath: "/proc/\(self.process.pid)/fd").count
    }

    /// The time that its threads have run so far; nil where /proc does not say.
    var processorTime: Duration? {
        guard let line = try? String(contentsOfFile: "/proc/\(self.process.pid)/stat", encoding: .utf8),
            let name = line.lastIndex(of: ")")
        else { return nil }
        // utime and stime: fields 14 and 15, in ticks of 10 ms.
        let fields = line[name...].split(separator: " ").dropFirst(12).prefix(2).compactMap { Int($0) }
        return .milliseconds(10 * fields.reduce(0, +))
    }

    /// How much of it is in memory.
    func residentKilobytes() throws -> Int {
        let status = try String(contentsOfFile: "/proc/\(self.process.pid)/status", encoding: .utf8)
        let line = status.split(separator: "\n").first { $0.hasPrefix("VmRSS:") }
        return try line?.split(separator: " ").compactMap { Int($0) }.first.unwrapped("VmRSS") ?? 0
    }

    func connect() async throws -> RawConnection { try await RawConnection(port: self.port) }

    /// A tunnel to a port of 127.0.0.1, granted.
    func tunnel(to port: Int) async throws -> RawConnection {
        let connection = try await self.connect()
        try await connection.send("CONNECT 127.0.0.1:\(port) HTTP/1.1\r\nHost: 127.0.0.1:\(port)\r\n\r\n")
        _ = try await connection.receive(until: "200 Connection established\r\n\r\n")
        return connection
    }
}

extension Optional {
    func unwrapped(_ what: String) throws -> Wrapped {
        guard let value = self else { throw TimedOut(what: what) }
        return value
    }
}
