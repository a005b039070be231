import ArgumentParser
import CulvertTunnel
import NIOCore

struct ConnectCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "connect",
        abstract: "Connect standard input and output with a host and port, through proxies.",
        discussion: """
            Made for ssh's ProxyCommand:
              ssh -o ProxyCommand='culvert connect %h:%p --proxy http://proxy.example:3128' host
            The end of standard input half-closes the connection; what the other side still sends is written \
            until it ends.

            \(CommandStatus.help)
            """)

    @Argument(help: ArgumentHelp("Where to connect; IPv6 in brackets.", valueName: "host:port"))
    var target: String

    @Flag(help: "Speak TLS with the target, inside the tunnel.")
    var tls = false

    @OptionGroup var client: ClientOptions

    mutating func validate() throws {
        _ = try self.authority()
    }

    func run() async throws {
        ignoreBrokenPipes()
        do {
            let input = try StandardInput()
            try await self.tunnelClient().withTunnel(
                to: self.authority(), tls: self.tls ? self.client.tls : nil
            ) { stream in
                try await Self.relay(stream, input: input)
            }
        } catch {
            throw CommandFailure(error).report("connect")
        }
    }

    private func authority() throws -> Authority {
        do {
            return try Authority(self.target)
        } catch {
            throw ValidationError("\(error).")
        }
    }

    private func tunnelClient() throws -> TunnelClient {
        TunnelClient(
            try .init {
                $0.proxy = try self.client.proxySetting()
                $0.openTimeout = self.client.openTimeout.duration
                $0.proxyTLS = self.client.proxyTLS
                $0.connectFields = try self.client.connectFields()
                $0.proxyCredentials = self.client.credentialProvider
                $0.proxyAuthentication = self.client.proxyAuthentication
                $0.onNotice = { StandardError.print("culvert connect: note: \($0)") }
            })
    }

    private static func relay(_ stream: TunnelStream, input: StandardInput) async throws {
        let output = StandardOutput()
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                for try await bytes in stream { try await output.write(bytes) }
                // What is already there still goes out; nothing more is waited for.
                input.endWhenEmpty()
            }
            group.addTask {
                do {
                    while let bytes = try await input.read() { try await stream.write(bytes) }
                    try await stream.finish()
                } catch let failure as CommandFailure {
                    throw failure
                } catch {
                    // The far end takes no more. Whether that is a loss the reading side finds out.
                }
            }
            try await group.waitForAll()
        }
    }
}
