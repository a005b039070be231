import ArgumentParser
import CulvertInterop
import CulvertTunnel
import Foundation
import HTTPWire
import ProxyRoutes

struct InteropCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "interop",
        abstract: "Prove that the proxy and the client speak with everyone else's software.",
        discussion: """
            Without --public or --target it starts other makers' WebSocket servers, proxies and clients from installed \
            packages, on loopback, and tries what the scenario file lists: our client, with libcurl on the same path \
            as the oracle, and libcurl and other clients through our proxy. TLS is OpenSSL's on their side. \
            Tests/install.sh of the source installs all peers; what is missing is told as unavailable.

            With --public or --target it asks servers on the internet, through our proxy, a few small questions each.

            Everything on one server:      culvert interop --server tornado
            One proxy, to all servers:     culvert interop --section pairs --route squid
            Your own server:               culvert interop --target wss://example.com/echo

            EXIT STATUS
              0    something passed and nothing failed
              1    something failed, or a peer is missing with --require-peers
              3    nothing failed and nothing passed: no server on the internet could be reached
              64   wrong usage; 66: the scenario file cannot be read
              69   nothing could be tried
              73   a report cannot be written
            """)

    @Flag(help: "The servers on the internet that the scenario file lists.")
    var `public` = false

    @Option(
        help: ArgumentHelp("A ws, wss, http or https URL on the internet. Repeatable.", valueName: "url"))
    var target: [String] = []

    @Flag(name: .customLong("local"), help: "The peers of this machine, besides --public or --target.")
    var isLocal = false

    @Option(help: ArgumentHelp("Only this matrix. Repeatable; --list names all.", valueName: "name"))
    var section: [String] = []

    @Option(help: ArgumentHelp("Only this server. Repeatable.", valueName: "name"))
    var server: [String] = []

    @Option(help: ArgumentHelp("Only this route. Repeatable.", valueName: "name"))
    var route: [String] = []

    @Option(help: ArgumentHelp("Only this check. Repeatable.", valueName: "name"))
    var check: [String] = []

    @Flag(help: "Print the names of sections, servers, routes and checks, and end.")
    var list = false

    @Option(
        help: ArgumentHelp("Scenario file, in place of the one that is built in.", valueName: "file"),
        completion: .file())
    var scenarios: String?

    @Option(
        help: ArgumentHelp(
            "Proxy on the way to the internet; 'none' for none. Repeatable: a chain. Default: the environment's.",
            valueName: "url"))
    var proxy: [String] = []

    @Flag(help: "A peer that is missing is a failure.")
    var requirePeers = false

    @Option(help: ArgumentHelp("Places of a matrix to try at a time.", valueName: "count"))
    var jobs = 4

    @Option(help: ArgumentHelp("Limit for one check.", valueName: "seconds"))
    var timeout: Seconds = 30

    @Option(help: ArgumentHelp("Write the report as JSON; - for standard output.", valueName: "file"))
    var json: String?

    @Option(help: ArgumentHelp("Write the report as JUnit XML.", valueName: "file"))
    var junit: String?

    @Option(help: ArgumentHelp("Write the report as one HTML page.", valueName: "file"))
    var html: String?

    @Option(help: ArgumentHelp("Write the matrices as Markdown.", valueName: "file"))
    var markdown: String?

    @Flag(help: "No progress while it runs.")
    var quiet = false

    mutating func validate() throws {
        guard (1...64).contains(self.jobs) else { throw ValidationError("--jobs must be from 1 to 64.") }
        for url in self.target {
            guard let components = URLComponents(string: url), components.host?.isEmpty == false,
                ["ws", "wss", "http", "https"].contains(components.scheme)
            else {
                throw ValidationError("--target: expected a ws, wss, http or https URL.")
            }
        }
        _ = try self.hops(isTold: false)
    }

    func run() async throws {
        ignoreBrokenPipes()
        do {
            let scenarios = try self.loadScenarios()
            if self.list { return Self.print(namesOf: scenarios) }
            let selection = try self.selection(scenarios)
            let report = try await self.withExit { exit in
                try await InteropRun(
                    scenarios, try self.options(scenarios, selection, exit: exit),
                    progress: Progress.onStandardError(isQuiet: self.quiet)
                ).run()
            }
            try self.write(report)
            let status = report.outcome.exitStatus
            if status != 0 { throw ExitCode(status) }
        } catch let status as ExitCode {
            throw status
        } catch {
            throw CommandFailure(error).report("interop")
        }
    }
}
