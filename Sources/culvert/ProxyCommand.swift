public import ArgumentParser
public import CulvertProxy
import Foundation
import Logging
import ServiceLifecycle
import UnixSignals

struct ProxyCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "proxy",
        abstract: "Run a forward proxy for HTTP CONNECT.",
        discussion: """
            Listens on loopback unless told otherwise. Says where it listens on standard error, and writes one line \
            of JSON per request to standard output.

            SIGTERM or SIGINT stop accepting and let open tunnels finish for --drain-timeout; a second signal stops \
            at once.

            A proxy that listens on more than loopback refuses to reach loopback, private and other special-purpose \
            addresses (--guard).
            """)

    @Option(
        help: ArgumentHelp(
            "Address and port to listen on; port 0 is a free one. Repeatable.", valueName: "address:port"))
    var listen: [String] = ["127.0.0.1:3128"]

    @Option(
        help: ArgumentHelp(
            "Parent proxy to go out through. Repeatable: a chain, nearest first.", valueName: "url"))
    var upstream: [String] = []

    @Option(
        help: ArgumentHelp("PEM file with the authorities to trust for https parents.", valueName: "file"),
        completion: .file())
    var upstreamCa: String?

    @Option(
        help: ArgumentHelp(
            "Let in only these users, by Basic: a file with one name:password per line.", valueName: "file"),
        completion: .file())
    var usersFile: String?

    @Option(help: ArgumentHelp("Allow CONNECT to these ports only. Repeatable.", valueName: "port"))
    var connectPort: [UInt16] = []

    @Option(
        help: ArgumentHelp(
            "Refuse special-purpose addresses: on, off, or auto for on unless every listener is loopback."))
    var `guard`: ProxyConfiguration.GuardMode = .auto

    @Option(help: ArgumentHelp("Limit for the head of a request.", valueName: "seconds"))
    var headTimeout: Seconds = 30

    @Option(help: ArgumentHelp("Limit for opening a tunnel.", valueName: "seconds"))
    var connectTimeout: Seconds = 30

    @Option(help: ArgumentHelp("End a tunnel in which nothing moves for so long.", valueName: "seconds"))
    var idleTimeout: Seconds = 600

    @Option(help: ArgumentHelp("How long open tunnels may finish after the stop.", valueName: "seconds"))
    var drainTimeout: Seconds = 10

    @Option(help: ArgumentHelp("Largest head of a request.", valueName: "bytes"))
    var maxHeadBytes: Int = ProxyConfiguration().maxHeadBytes

    @Option(
        help: ArgumentHelp("Where the access log goes: a file, or - for standard output.", valueName: "file"),
        completion: .file())
    var accessLog = "-"

    @Option(help: "Diagnostics on standard error: trace, debug, info, notice, warning, error or critical.")
    var logLevel: LogLevel = .notice

    mutating func validate() throws {
        _ = try self.listenAddresses()
        let hasTLSParent = try self.upstream.contains {
            try parseProxyURL($0, option: "--upstream", isTold: false).scheme == .https
        }
        if self.upstreamCa != nil, !hasTLSParent {
            throw ValidationError("--upstream-ca is for https parents, and no --upstream is one.")
        }
        guard (64...1_048_576).contains(self.maxHeadBytes) else {
            throw ValidationError("--max-head-bytes must be from 64 to 1048576.")
        }
        guard !self.connectPort.contains(0) else {
            throw ValidationError("--connect-port must be from 1 to 65535.")
        }
    }

    func run() async throws {
        ignoreBrokenPipes()
        let level = self.logLevel.level
        LoggingSystem.bootstrap { label in
            var handler = StreamLogHandler.standardError(label: label)
            handler.logLevel = level
            return handler
        }
        do {
            let writer = try self.openAccessLog()
            let server = ProxyServer(try self.proxyConfiguration(writer))
            try await Self.runUntilSignalled(server)
            writer.flush()
        } catch let error as CommandFailure {
            throw error.report("proxy")
        } catch {
            throw CommandFailure(error).report("proxy")
        }
    }

    private static func runUntilSignalled(_ server: ProxyServer) async throws {
        let logger = Logger(label: "culvert")
        let group = ServiceGroup(services: [server], logger: logger)
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask {
                var signals = 0
                for await _ in await UnixSignalsSequence(trapping: .sigterm, .sigint) {
                    signals += 1
                    guard signals == 1 else { return StandardError.print("culvert proxy: stopped at once") }
                    StandardError.print(
                        "culvert proxy: stopping; open tunnels may finish (again to stop at once)")
                    await group.triggerGracefulShutdown()
                }
            }
            tasks.addTask { try await group.run() }
            // Whichever ends first: the drained server, or the second signal.
            try await tasks.next()
            tasks.cancelAll()
            while let result = await tasks.nextResult() { _ = result }
        }
    }

    private func openAccessLog() throws -> AccessLogWriter {
        let name = self.accessLog == "-" ? "standard output" : self.accessLog
        let onFailure: @Sendable (any Error) -> Void = {
            StandardError.print(
                "culvert proxy: the access log cannot be written to \(name): \($0.localizedDescription)")
        }
        guard self.accessLog != "-" else { return AccessLogWriter(to: .standardOutput, onFailure: onFailure) }
        do {
            return try AccessLogWriter(path: self.accessLog, onFailure: onFailure)
        } catch {
            throw CommandFailure(
                "--access-log \(self.accessLog): \(error.localizedDescription)", status: .usage)
        }
    }

    private func proxyConfiguration(_ writer: AccessLogWriter) throws -> ProxyConfiguration {
        try ProxyConfiguration {
            $0.listeners = try self.listenAddresses()
            $0.upstream = Route(
                try self.upstream.map { try parseProxyURL($0, option: "--upstream", isTold: true) })
            $0.upstreamTLS.trustRoots = self.upstreamCa.map(TLSOptions.TrustRoots.file) ?? .system
            $0.users = try self.users()
            $0.policy.connectPorts = self.connectPort.isEmpty ? nil : Set(self.connectPort)
            $0.guardMode = self.guard
            $0.headTimeout = self.headTimeout.duration
            $0.connectTimeout = self.connectTimeout.duration
            $0.idleTimeout = self.idleTimeout.duration
            $0.drainTimeout = self.drainTimeout.duration
            $0.maxHeadBytes = self.maxHeadBytes
            $0.accessLog = { writer.write($0) }
            $0.onListening = { addresses in
                for address in addresses { StandardError.print("culvert proxy: listening on \(address)") }
            }
        }
    }

    private func listenAddresses() throws -> [ListenAddress] {
        try self.listen.map { text in
            guard let address = ListenAddress(text) else {
                throw ValidationError(
                    "--listen: '\(printable(text.prefix(80)))' is no address and port; expected 127.0.0.1:3128 or [::1]:3128."
                )
            }
            return address
        }
    }

    private func users() throws -> UserTable? {
        guard let usersFile else { return nil }
        do {
            return try UserTable(parsing: String(contentsOfFile: usersFile, encoding: .utf8))
        } catch let error as UserTableError {
            throw CommandFailure("--users-file \(usersFile): \(error)", status: .usage)
        } catch {
            throw CommandFailure("--users-file \(usersFile): \(error.localizedDescription)", status: .usage)
        }
    }
}

extension ProxyConfiguration.GuardMode: ExpressibleByArgument {}

/// The level of diagnostics, by its name.
struct LogLevel: ExpressibleByArgument {
    let level: Logger.Level

    static let notice = LogLevel(level: .notice)
    static var allValueStrings: [String] { Logger.Level.allCases.map(\.rawValue) }

    init?(argument: String) {
        guard let level = Logger.Level(rawValue: argument) else { return nil }
        self.level = level
    }

    private init(level: Logger.Level) {
        self.level = level
    }

    var defaultValueDescription: String { self.level.rawValue }
}
