import ArgumentParser
import CulvertWebSocket
import NIOCore
import UnixSignals

struct WebSocketCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "ws",
        abstract: "Talk to a WebSocket server, through proxies.",
        discussion: """
            On a terminal: type lines, each is a text message; Ctrl-D closes. On a pipe: each line of standard input \
            is sent as one text message, each text message that comes is written as one line; a binary message that \
            comes is written as 'base64:' and its Base64. At the end of input the connection is closed with a \
            handshake, and what comes until then is still written. With --binary, each run of up to 64 KiB read is \
            one binary message, and what comes is written as it is.

            A line on standard error tells the close code and reason.

            \(CommandStatus.help)
            """)

    @Argument(help: ArgumentHelp("ws:// or wss:// URL.", valueName: "url"))
    var url: String

    @Option(
        name: [.customShort("H"), .long],
        help: ArgumentHelp(
            "Field for the upgrade request, 'Name: value'; replaces Host and Origin too. Repeatable.",
            valueName: "field"))
    var header: [String] = []

    @Option(
        help: ArgumentHelp("Subprotocol to offer. Repeatable, in order of preference.", valueName: "name"))
    var subprotocol: [String] = []

    @Flag(
        help: ArgumentHelp(
            "Offer to compress messages (permessage-deflate).",
            discussion: "Off by default: the length of compressed messages can give away secrets in them."))
    var compress = false

    @Flag(help: "Send and receive binary messages, byte for byte.")
    var binary = false

    @Option(
        help: ArgumentHelp(
            """
            At the end of input, close only after so long without a message. For servers that answer a close before \
            the messages ahead of it.
            """,
            valueName: "seconds"))
    var wait: Seconds?

    @Option(
        help: ArgumentHelp("How long the server may take to answer the close.", valueName: "seconds"))
    var closeTimeout: Seconds = 5

    @Option(help: ArgumentHelp("Largest message to accept, and longest line to send.", valueName: "bytes"))
    var maxMessageBytes: Int = WebSocketLimits().maxMessageBytes

    @OptionGroup var client: ClientOptions

    mutating func validate() throws {
        do {
            _ = try WebSocketURL(self.url)
        } catch {
            throw ValidationError("\(error).")
        }
        _ = try HeaderField.fields(self.header, option: "-H")
        guard self.maxMessageBytes > 0 else { throw ValidationError("--max-message-bytes must be above 0.") }
    }

    func run() async throws {
        ignoreBrokenPipes()
        do {
            let input = try StandardInput()
            let output = StandardOutput()
            let session = WebSocketSession(
                input: input, output: output, isBinary: self.binary,
                isInteractive: input.isTerminal && output.isTerminal, maxLineBytes: self.maxMessageBytes,
                quietTime: self.wait?.duration)
            try await self.webSocketClient().withConnection(to: self.url) { socket in
                if self.compress, socket.compression == nil {
                    StandardError.print("culvert ws: note: the server does not agree to compress")
                }
                try await session.run(socket)
            }
        } catch {
            throw CommandFailure(error).report("ws")
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
                $0.compression = self.compress ? .deflate() : .disabled
                $0.limits.maxMessageBytes = self.maxMessageBytes
                $0.limits.maxFrameBytes = self.maxMessageBytes
                $0.connectFields = try self.client.connectFields()
                $0.proxyCredentials = self.client.credentialProvider
                $0.proxyAuthentication = self.client.proxyAuthentication
                $0.onNotice = { StandardError.print("culvert ws: note: \($0)") }
            })
    }
}
