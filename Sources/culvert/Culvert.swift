import ArgumentParser

@main
struct Culvert: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "culvert",
        abstract: "A forward proxy, and WebSockets and TCP streams through other people's.",
        discussion: """
            Run a proxy on this machine:
              culvert proxy
            Talk to a WebSocket server through it:
              culvert ws wss://echo.example/ --proxy http://127.0.0.1:3128
            Reach an ssh server behind a corporate proxy:
              ssh -o ProxyCommand='culvert connect %h:%p --proxy http://proxy.example:3128' host
            Find out why nothing gets out:
              culvert doctor wss://echo.example/
            Prove that it speaks with everyone else's software:
              culvert interop

            'culvert help COMMAND' explains each; 'culvert --generate-completion-script bash' (or zsh, fish) prints \
            a completion script.
            """,
        version: "0.1.0",
        subcommands: [
            ProxyCommand.self, WebSocketCommand.self, ConnectCommand.self, DoctorCommand.self,
            InteropCommand.self, PACEvaluatorCommand.self,
        ])

    static func main() async {
        ArgumentSecrets.hide()
        await self.main(nil)
    }
}
