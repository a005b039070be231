import ArgumentParser

/// What Culvert costs, in work for each second of processor time: its codec, its proxy, its WebSockets.
@main
struct Benchmarks: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "benchmarks",
        abstract: "Measures the codec, and any proxy or WebSocket server on loopback.",
        discussion: "Build it with -c release: a debug build measures the debug build.",
        subcommands: [CodecCommand.self, LoadCommand.self, EchoClientCommand.self, EchoServerCommand.self])
}
