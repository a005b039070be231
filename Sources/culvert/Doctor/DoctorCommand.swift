import ArgumentParser
import CulvertTunnel

struct DoctorCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "doctor",
        abstract: "Walk the way out to a URL, and explain it: which proxy, why, and what fails.",
        discussion: """
            Tells which variables, rules or script chose which way; looks names up, connects, speaks TLS with the \
            proxy, shows each 407 with what the proxy offers against the credentials at hand, opens the tunnel, speaks \
            TLS with the target, and opens the WebSocket of a ws:// or wss:// URL. Where TLS is intercepted, the issuer \
            of the certificate is named. With --idle it waits, and tells when the connection is cut.

            Nothing is sent to the target but what opens the connection. No password is shown.

            EXAMPLES
              culvert doctor                             the way out to https://example.com/
              culvert doctor wss://echo.example/ --json  for machines
              culvert doctor wss://echo.example/ --proxy http://proxy.example:3128 --idle 300

            \(DoctorPhase.help)
            """)

    @Argument(
        help: ArgumentHelp("ws, wss, http or https URL.", valueName: "url"))
    var target = DoctorTarget.standard

    @Flag(help: "Print JSON on standard output, in place of the table.")
    var json = false

    @Option(
        help: ArgumentHelp(
            "Keep the connection idle for so long, and tell when it is cut.", valueName: "seconds"))
    var idle: Seconds?

    @OptionGroup var client: ClientOptions

    func run() async throws {
        ignoreBrokenPipes()
        let report = await Doctor(self).examine()
        print(self.json ? report.json : report.table)
        if report.exitStatus != 0 { throw ExitCode(report.exitStatus) }
    }
}
