import ArgumentParser
import CulvertProxy
import CulvertTunnel
import CulvertWebSocket
import Foundation
import WebSocketWire

/// Why a command ends, as its exit status tells it.
enum CommandStatus: Int32 {
    case connectionLost = 1
    case notConnected = 3
    case refusedByProxy = 4
    case tlsFailed = 5
    case upgradeRefused = 6
    case timedOut = 7
    case usage = 64
    case badInput = 65
    case noInput = 66
    case cannotCreate = 73
    case badConfiguration = 78
    case interrupted = 130

    static let help = """
        EXIT STATUS
          0    done, or closed in good order
          1    closed with an error code, or the connection was lost
          3    the name does not resolve, or nothing answers at the address
          4    the proxy refused: credentials, rules, or an answer that is not HTTP
          5    TLS failed: wrong authority, wrong host, or no TLS at all
          6    the server refused the WebSocket upgrade
          7    timed out
          64   wrong usage; 65: standard input is not what was promised; 130: interrupted
          78   an error in the configuration file, or in the proxy auto-configuration script
        """
}

/// What to tell the user, and the exit status.
struct CommandFailure: Error {
    var message: String
    var status: CommandStatus

    init(_ message: String, status: CommandStatus) {
        self.message = message
        self.status = status
    }

    /// Turns an error of the libraries into words and a status.
    init(_ error: any Error) {
        switch error {
        case let failure as CommandFailure: self = failure
        case let error as TunnelError: self.init(tunnel: error)
        case let error as WebSocketError: self.init(webSocket: error)
        case let error as ConfigurationError: self.init(configuration: error)
        case let error as ProxyScriptError: self.init("\(error)", status: .badConfiguration)
        case let error as ListenError: self.init("\(error)", status: .notConnected)
        case let error as WebSocketListenError: self.init("\(error)", status: .notConnected)
        case is CancellationError: self.init("interrupted", status: .interrupted)
        default:
            self.init("the connection was lost: \(plainDescription(of: error))", status: .connectionLost)
        }
    }

    private init(configuration error: ConfigurationError) {
        switch error.place {
        case .file: self.init(error.description, status: .badConfiguration)
        case .flag, .environment, .program: self.init(error.description, status: .usage)
        }
    }

    private init(tunnel error: TunnelError) {
        var message = error.description
        if let excerpt = error.refusal.map(Self.excerpt), !excerpt.isEmpty {
            message += "\n  the proxy says: \(excerpt)"
        }
        let status: CommandStatus =
            switch error.code {
            case .invalidConfiguration: error.underlying is ProxyScriptError ? .badConfiguration : .usage
            case .nameNotResolved, .connectionFailed, .forbidden: .notConnected
            case .tlsFailed: .tlsFailed
            case .refusedByProxy, .authenticationFailed, .malformedProxyAnswer: .refusedByProxy
            case .connectionClosed: error.fault == .proxy ? .refusedByProxy : .connectionLost
            case .timedOut: .timedOut
            case .cancelled: .interrupted
            }
        self.init(message, status: status)
    }

    private init(webSocket error: WebSocketError) {
        switch error {
        case .tunnel(let tunnel): self.init(tunnel: tunnel)
        case .invalidRequest, .unsendable: self.init(error.description, status: .usage)
        case .upgradeRefused, .upgradeFailed, .redirectRefused:
            self.init(error.description, status: .upgradeRefused)
        case .upgradeTimedOut, .keepaliveTimedOut: self.init(error.description, status: .timedOut)
        case .protocolViolation, .closed, .connectionLost:
            self.init(error.description, status: .connectionLost)
        }
    }

    /// The first words of a refusal's body, without its markup.
    private static func excerpt(_ refusal: ProxyRefusal) -> String {
        var isInTag = false
        var words = ""
        for character in refusal.body.prefix(4096) {
            switch character {
            case "<": isInTag = true
            case ">":
                isInTag = false
                words += " "
            case _ where isInTag: break
            default: words.append(character.isWhitespace ? " " : character)
            }
        }
        return printable(words.split(separator: " ").joined(separator: " ").prefix(200))
    }

    /// Prints the message on standard error under the command's name and gives the status to end with.
    func report(_ command: String) -> ExitCode {
        StandardError.print("culvert \(command): error: \(printable(self.message))")
        return ExitCode(self.status.rawValue)
    }
}

/// Text from the network as a terminal may show it: control characters escaped.
func printable(_ text: some StringProtocol) -> String {
    var shown = ""
    for scalar in text.unicodeScalars {
        switch scalar {
        case "\u{0}"..."\u{8}", "\u{B}"..."\u{1F}", "\u{7F}"..."\u{9F}":
            shown += "\\u{\(String(scalar.value, radix: 16))}"
        default: shown.unicodeScalars.append(scalar)
        }
    }
    return shown
}
