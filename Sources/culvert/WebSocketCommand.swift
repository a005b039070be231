import ArgumentParser
import CulvertWebSocket
import NIOCore
import UnixSignals

struct WebSocketCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "ws",
        abstract: "Talk to a WebSocket server, through proxies; or be one.",
        discussion: """
            On a terminal: type lines, each is a text message; Ctrl-D closes. On a pipe: each line of standard input \
            is sent as one text message, each text message that comes is written as one line; a binary message that \
            comes is written as 'base64:' and its Base64. At the end of input the connection is closed with a \
            handshake, and what comes until then is still written. With --binary, each run of up to 64 KiB read is \
            one binary message, and what comes is written as it is.

            A line on standard error tells the close code and reason.

            With --listen and --echo it is a server itself, and sends every message back.

            \(CommandStatus.help)
            """)

    @Argument(help: ArgumentHelp("ws:// or wss:// URL.", valueName: "url"))
    var url: String?

    @OptionGroup(title: "Server") var server: WebSocketEchoOptions

    @Option(
        name: [.customShort("H"), .long],
        help: ArgumentHelp(
            "Field for the upgrade request (a server's answer), 'Name: value'; replaces Host and Origin too. Repeatable.",
            valueName: "field"))
    var header: [String] = []

    @Option(
        help: ArgumentHelp(
            "Subprotocol to offer, in order of preference; as a server, to speak. Repeatable.",
            valueName: "name"))
    var subprotocol: [String] = []

    @Flag(
        help: ArgumentHelp(
            "Offer to compress messages, or agree to it as a server (permessage-deflate).",
            discussion: "Off by default: the length of compressed messages can give away secrets in them."))
    var compress = false

    @Flag(help: "Send and receive binary messages, byte for byte.")
    var binary = false

    @Flag(
        help: """
            With --binary: write what comes of a message as it arrives. Messages of any size pass, in little memory.
            """)
    var stream = false

    @Option(
        help: ArgumentHelp(
            "Ping a server that has said nothing for so long; 'none' for never.", valueName: "seconds"))
    var pingInterval: SecondsOrNone = 20

    @Option(
        help: ArgumentHelp(
            "How long it may then go on saying nothing before it is given up.", valueName: "seconds"))
    var pingTimeout: Seconds = 20

    @Option(
        help: ArgumentHelp(
            """
            At the end of input, close only after so long without a message. For servers that answer a close before \
            the messages ahead of it.
            """,
            valueName: "seconds"))
    var wait: Seconds?

    @Option(
        help: ArgumentHelp("How long the peer may take to answer the close.", valueName: "seconds"))
    var closeTimeout: Seconds = 5

    @Option(help: ArgumentHelp("Largest message to accept, and longest line to send.", valueName: "bytes"))
    var maxMessageBytes: Int = WebSocketLimits().maxMessageBytes

    @Flag(
        help: ArgumentHelp(
            "Connect again, after growing delays, when the connection is lost or cannot be opened.",
            discussion: """
                Not after a refusal, a bad certificate or a close in good order. What was being sent when the \
                connection was lost may have been lost with it; lines not yet sent are kept.
                """))
    var reconnect = false

    @Option(help: ArgumentHelp("How many redirects of the upgrade to follow.", valueName: "count"))
    var maxRedirects = 0

    @Option(
        help: ArgumentHelp(
            "Connect to this Unix socket instead of the URL's host; no proxies.", valueName: "path"),
        completion: .file())
    var unixSocket: String?

    @Flag(name: .shortAndLong, help: "Tell on standard error how long the parts of opening took.")
    var verbose = false

    @OptionGroup var client: ClientOptions

    mutating func validate() throws {
        if self.server.isServer {
            try self.checkServer()
        } else {
            guard let url else { throw ValidationError("Missing expected argument '<url>', or --listen.") }
            do {
                _ = try WebSocketURL(url)
            } catch {
                throw ValidationError("\(error).")
            }
        }
        _ = try HeaderField.fields(self.header, option: "-H")
        guard (0...100).contains(self.maxRedirects) else {
            throw ValidationError("--max-redirects must be 0 to 100.")
        }
        if self.reconnect, self.unixSocket != nil {
            throw ValidationError("--reconnect and --unix-socket do not go together.")
        }
        if self.stream, !self.binary { throw ValidationError("--stream needs --binary.") }
        guard self.maxMessageBytes > 0 else { throw ValidationError("--max-message-bytes must be above 0.") }
    }

    private func checkServer() throws {
        guard self.url == nil else { throw ValidationError("Give a URL or --listen, not both.") }
        let useless: [(String, Bool)] = [
            ("--binary", self.binary), ("--wait", self.wait != nil), ("--ca", self.client.ca != nil),
            ("--proxy", !self.client.proxy.isEmpty), ("--route", !self.client.route.isEmpty),
            ("--pac", self.client.pac != nil), ("--wpad", self.client.wpad),
            ("--proxy-ca", self.client.proxyCa != nil),
            ("--proxy-header", !self.client.proxyHeader.isEmpty),
            ("--proxy-preemptive-auth", self.client.proxyPreemptiveAuth),
            ("--stream", self.stream), ("--reconnect", self.reconnect),
            ("--unix-socket", self.unixSocket != nil),
            ("--max-redirects", self.maxRedirects > 0), ("--pin", !self.client.pin.isEmpty),
            ("--server-name", self.client.serverName != nil),
        ]
        if let (name, _) = useless.first(where: \.1) {
            throw ValidationError("\(name) is for clients, and --listen makes a server.")
        }
    }

    func run() async throws {
        ignoreBrokenPipes()
        do {
            guard let url else {
                return try await self.server.run(self.upgradeOptions(), tls: self.client.tls.identity)
            }
            let input = try StandardInput()
            let output = StandardOutput()
            let messages = InputMessages(
                input, isBinary: self.binary, maxLineBytes: self.maxMessageBytes)
            let session = WebSocketSession(
                input: messages, output: output, isBinary: self.binary,
                isInteractive: input.isTerminal && output.isTerminal, isStreaming: self.stream,
                quietTime: self.wait?.duration)
            try await self.run(session, to: url)
        } catch {
            throw CommandFailure(error).report("ws")
        }
    }

    private func run(_ session: WebSocketSession, to url: String) async throws {
        let client = try self.webSocketClient()
        let use: @Sendable (WebSocket) async throws -> Void = { socket in
            self.tell(of: socket)
            try await session.run(socket)
        }
        guard self.reconnect else {
            let transport = self.unixSocket.map(WebSocketTransport.unixSocket)
            return try await client.withConnection(to: url, over: transport, use)
        }
        let retry = WebSocketRetry {
            $0.onFailure = { failure in
                let reason = printable(CommandFailure(failure.error).message)
                StandardError.print("culvert ws: note: \(reason); connecting again in \(failure.delay)")
            }
        }
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await client.run(to: url, retry: retry, use) }
            // Between two connections nobody else listens.
            group.addTask {
                if case .interrupted = await WebSocketSession.signal() {
                    throw CommandFailure("interrupted", status: .interrupted)
                }
            }
            defer { group.cancelAll() }
            try await group.next()
        }
    }

    private func tell(of socket: WebSocket) {
        if self.compress, socket.compression == nil {
            StandardError.print("culvert ws: note: the server does not agree to compress")
        }
        if self.verbose, let timeline = socket.timeline {
            StandardError.print("culvert ws: \(socket.route): \(timeline)")
        }
    }

    private func upgradeOptions() throws -> WebSocketUpgradeOptions {
        try WebSocketUpgradeOptions {
            $0.subprotocols = self.subprotocol
            $0.headerFields = try HeaderField.fields(self.header, option: "-H")
            $0.compression = self.compress ? .deflate() : .disabled
            $0.limits.maxMessageBytes = self.maxMessageBytes
            $0.openTimeout = self.client.openTimeout.duration
            $0.closeTimeout = self.closeTimeout.duration
            $0.keepalive = self.keepalive
        }
    }

    private var keepalive: WebSocketKeepalive? {
        self.pingInterval.duration.map {
            WebSocketKeepalive(interval: $0, timeout: self.pingTimeout.duration)
        }
    }

    private func webSocketClient() throws -> WebSocketClient {
        WebSocketClient(
            configuration: try .init {
                $0.proxy = try self.client.proxySetting()
                $0.openTimeout = self.client.openTimeout.duration
                $0.closeTimeout = self.closeTimeout.duration
                $0.tls = self.client.tls
                $0.proxyTLS = self.client.proxyTLS
                $0.headerFields = try HeaderField.fields(self.header, option: "-H")
                $0.subprotocols = self.subprotocol
                $0.maxRedirects = self.maxRedirects
                $0.compression = self.compress ? .deflate() : .disabled
                $0.limits.maxMessageBytes = self.maxMessageBytes
                $0.keepalive = self.keepalive
                $0.connectFields = try self.client.connectFields()
                $0.proxyCredentials = self.client.credentialProvider
                $0.proxyAuthentication = self.client.proxyAuthentication
                $0.onNotice = { StandardError.print("culvert ws: note: \($0)") }
            })
    }
}
