import ArgumentParser
import CulvertAdmin
import CulvertProxy
import Foundation
import Logging
import NIOCore
import ServiceLifecycle
import UnixSignals

struct ProxyCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "proxy",
        abstract: "Run a forward proxy for HTTP and SOCKS: tunnels and plain http:// requests.",
        discussion: """
            One port takes HTTP, SOCKS 5, 4a and 4, and TLS around them with --tls-cert. \
            Listens on loopback unless told otherwise. Says where it listens on standard error, and writes one line \
            of JSON per request to standard output.

            SIGTERM or SIGINT stop accepting and let open tunnels finish for --drain-timeout; a second signal stops \
            at once. SIGHUP reads the configuration again, and so does a change of its files: all of it counts from \
            the next request on, or none where there is an error. Open tunnels go on. SIGUSR1 opens the file of \
            --access-log again, for a log that was rotated away.

            Every flag below is also a key of the --config file, without its dashes, and a variable of the \
            environment: --head-timeout is head-timeout: and CULVERT_HEAD_TIMEOUT. Flags win over the environment, \
            the environment over the file.

            A proxy that listens on more than loopback refuses to reach loopback, private and other special-purpose \
            addresses (--guard).
            """)

    @Option(
        help: ArgumentHelp(
            "YAML file with settings, named as the flags are. Read again on SIGHUP and when it changes.",
            valueName: "file"),
        completion: .file())
    var config: String?

    @Option(
        help: ArgumentHelp(
            "Check this configuration file, and the files it names, and exit.", valueName: "file"),
        completion: .file())
    var check: String?

    @Option(
        parsing: .upToNextOption,
        help: ArgumentHelp(
            "Tell which rule decides on this request and why, and exit: 0 for allowed, 4 for refused.",
            discussion: "USER is - for none; the client's address and a method may follow.",
            valueName: "user host:port"))
    var explain: [String] = []

    @OptionGroup var flags: ProxyFlags

    mutating func validate() throws {
        if self.check != nil, self.config != nil {
            throw ValidationError("--check names the file already: give either it or --config.")
        }
        if !self.explain.isEmpty { _ = try ProxyExplanation(self.explain) }
    }

    func run() async throws {
        ignoreBrokenPipes()
        do {
            let settings = try self.load()
            if let check { return print("\(check): ok") }
            if !self.explain.isEmpty { return try await ProxyExplanation(self.explain).tell(settings) }
            self.startLogging(settings.logLevel)
            try await self.serve(settings)
        } catch let error as CommandFailure {
            throw error.report("proxy")
        } catch let code as ExitCode {
            throw code
        } catch {
            throw CommandFailure(error).report("proxy")
        }
    }

    /// The settings of all sources; each call reads the files anew.
    private func load() throws(ConfigurationError) -> ProxySettings {
        let environment = ProcessInfo.processInfo.environment
        let settings = try ProxySettings.load(
            file: self.check ?? self.config ?? environment["CULVERT_CONFIG"], environment: environment,
            flags: self.flags.given, pacEvaluator: PACEvaluatorCommand.invocation)
        for notice in settings.notices { StandardError.print("culvert proxy: note: \(printable(notice))") }
        return settings
    }

    private func startLogging(_ level: Logger.Level) {
        LoggingSystem.bootstrap { label in
            var handler = StreamLogHandler.standardError(label: label)
            handler.logLevel = level
            return handler
        }
    }

    private func serve(_ settings: ProxySettings) async throws {
        // Before anybody asks for the first of them.
        if let threads = settings.threads { NIOSingletons.groupLoopCountSuggestion = threads }
        let writer = try self.openAccessLog(settings)
        let server = ProxyServer(self.connected(settings.proxy, to: writer))
        let reloader = ProxyReloader(server: server, settings: settings) {
            var settings = try self.load()
            settings.proxy = self.connected(settings.proxy, to: writer)
            return settings
        }
        let admin = settings.admin.map { self.adminServer(at: $0, settings, for: server) }
        // Services stop in reverse order: the admin listener outlives the drain, and says "not ready" meanwhile.
        let services: [any Service] = (admin.map { [$0] } ?? []) + [server]
        // Also where a listener fails: what was logged before is written.
        defer { writer?.flush() }
        try await Self.runUntilSignalled(services, reloader, writer)
    }

    private func adminServer(
        at address: ListenAddress, _ settings: ProxySettings, for server: ProxyServer
    ) -> AdminServer {
        AdminServer(
            .init {
                $0.address = address
                $0.hostNames = settings.adminHostNames
                $0.version = Culvert.configuration.version
                $0.onListening = { StandardError.print("culvert proxy: admin listener on \($0)") }
            }, for: server)
    }

    /// The configuration with what only the command has: the log's file and standard error.
    private func connected(_ configuration: ProxyConfiguration, to writer: AccessLogWriter?)
        -> ProxyConfiguration
    {
        var configuration = configuration
        if let writer { configuration.accessLog = { writer.write($0) } }
        configuration.onListening = { addresses in
            for address in addresses { StandardError.print("culvert proxy: listening on \(address)") }
            ServiceManager.current?.tell(.ready)
        }
        return configuration
    }

    private static func runUntilSignalled(
        _ services: [any Service], _ reloader: ProxyReloader, _ log: AccessLogWriter?
    ) async throws {
        let logger = Logger(label: "culvert")
        let group = ServiceGroup(services: services, logger: logger)
        // Trapped before anybody is told that it listens: whoever waits for that may signal at once.
        let stops = await UnixSignalsSequence(trapping: .sigterm, .sigint)
        try await withThrowingTaskGroup(of: Bool.self) { tasks in
            tasks.addTask {
                var signals = 0
                for await _ in stops {
                    signals += 1
                    guard signals == 1 else {
                        StandardError.print("culvert proxy: stopped at once")
                        break
                    }
                    StandardError.print(
                        "culvert proxy: stopping; open tunnels may finish (again to stop at once)")
                    ServiceManager.current?.tell(.stopping)
                    await group.triggerGracefulShutdown()
                }
                return true
            }
            tasks.addTask {
                try await group.run()
                return true
            }
            tasks.addTask {
                await reloader.run()
                return false
            }
            tasks.addTask {
                for await _ in await UnixSignalsSequence(trapping: .sigusr1) { log?.reopen() }
                return false
            }
            // Whichever ends first: the drained server, or the second signal.
            while let isOver = try await tasks.next(), !isOver {}
            tasks.cancelAll()
            while let result = await tasks.nextResult() { _ = result }
        }
    }

    /// Returns nil where none is wanted.
    private func openAccessLog(_ settings: ProxySettings) throws -> AccessLogWriter? {
        let (path, format) = (settings.accessLog, settings.accessLogFormat)
        if path == "none" { return nil }
        let name = path == "-" ? "standard output" : path
        let onFailure: @Sendable (any Error) -> Void = {
            StandardError.print(
                "culvert proxy: the access log cannot be written to \(name): \($0.localizedDescription)")
        }
        guard path != "-" else {
            return AccessLogWriter(to: .standardOutput, format: format, onFailure: onFailure)
        }
        do {
            return try AccessLogWriter(path: path, format: format, onFailure: onFailure)
        } catch {
            throw CommandFailure("access-log: \(path): \(error.localizedDescription)", status: .usage)
        }
    }
}
