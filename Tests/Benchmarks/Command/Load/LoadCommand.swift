import ArgumentParser
import Foundation

struct LoadCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "load",
        abstract: "Puts a load on a proxy, a TCP forwarder or a WebSocket server on loopback.",
        discussion: """
            Source, sink, echo and HTTP origin are its own, on a thread beside the client's; both are plain epoll. \
            Processor time and memory are those of the processes named by --watch, with all their descendants.

            Without --proxy and --forwarder nothing stands between client and origin: what the generator itself \
            can do.
            """)

    @Argument(help: "download, upload, round-trip, open, idle, requests or messages.")
    var kind: LoadKind

    @Option(help: ArgumentHelp("The HTTP proxy's port on 127.0.0.1.", valueName: "port"))
    var proxy: UInt16?

    @Option(help: ArgumentHelp("Who asks the proxy, by Basic.", valueName: "user:password"))
    var credentials: String?

    @Option(help: ArgumentHelp("The TCP forwarder's port on 127.0.0.1.", valueName: "port"))
    var forwarder: UInt16?

    @Option(
        name: .customLong("websocket"),
        help: ArgumentHelp(
            "The port on 127.0.0.1 of a WebSocket echo server, for messages or idle.", valueName: "port"))
    var webSocket: UInt16?

    @Option(
        name: .customLong("bytes"), help: ArgumentHelp("The size of a message.", valueName: "bytes"))
    var messageBytes = 32

    @Option(help: ArgumentHelp("The origin's port; 0 is a free one.", valueName: "port"))
    var origin: UInt16 = 0

    @Option(help: ArgumentHelp("How many tunnels at once.", valueName: "count"))
    var tunnels = 8

    @Option(help: ArgumentHelp("How long to measure.", valueName: "seconds"))
    var seconds = 3.0

    @Option(
        help: ArgumentHelp("A process whose processor time and memory count. Repeatable.", valueName: "pid"))
    var watch: [Int32] = []

    @Flag(help: "Print one JSON object instead of a line.")
    var json = false

    mutating func validate() throws {
        guard [self.proxy, self.forwarder, self.webSocket].compactMap(\.self).count <= 1 else {
            throw ValidationError("--proxy, --forwarder and --websocket exclude each other.")
        }
        guard self.webSocket == nil ? self.kind != .messages : [.messages, .idle].contains(self.kind) else {
            throw ValidationError("--websocket goes with messages or idle, and messages with it.")
        }
        guard self.credentials == nil || self.proxy != nil else {
            throw ValidationError("--credentials goes with --proxy.")
        }
        guard self.forwarder == nil || self.origin != 0 else {
            throw ValidationError("--forwarder needs --origin: the port that its upstream is.")
        }
        guard self.tunnels > 0, self.seconds > 0 else {
            throw ValidationError("--tunnels and --seconds are more than 0.")
        }
    }

    func run() throws {
        #if os(Linux)
            let result = try LoadRun(
                kind: self.kind, way: self.way, credentials: self.credentials, originPort: self.origin,
                tunnels: self.tunnels,
                messageBytes: self.messageBytes,
                seconds: self.seconds, watched: self.watch
            ).run()
            print(self.json ? try JSONText.line(result) : result.text)
        #else
            throw LoadError("the load generator is made of Linux' epoll")
        #endif
    }

    private var way: LoadTarget.Way {
        if let proxy { return .proxy(proxy) }
        if let forwarder { return .forwarder(forwarder) }
        if let webSocket { return .webSocket(webSocket) }
        return .direct
    }
}
