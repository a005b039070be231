import CulvertTunnel
import Foundation
import NIOPosix

#if canImport(Darwin)
    import Darwin
#elseif canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// Asks the person at the terminal for a proxy's credentials, once for each proxy. Standard input is the tunnel's, so
/// the terminal itself is asked.
actor CredentialPrompt {
    private var known: [String: ProxyCredentials] = [:]

    @Sendable
    func credentials(for hop: ProxyHop) async throws -> ProxyCredentials? {
        if let known = self.known["\(hop)"] { return known }
        let credentials = try await offTheEventLoop { try Self.ask(for: "\(hop)") }
        self.known["\(hop)"] = credentials
        return credentials
    }

    private static func ask(for proxy: String) throws -> ProxyCredentials {
        guard let terminal = fopen("/dev/tty", "r+") else {
            throw CommandFailure("--proxy-credentials prompt: there is no terminal to ask", status: .usage)
        }
        defer { fclose(terminal) }
        setvbuf(terminal, nil, _IONBF, 0)
        let user = try self.line("User name for \(proxy): ", terminal, isShown: true)
        let password = try self.line("Password for \(user) at \(proxy): ", terminal, isShown: false)
        return ProxyCredentials(user: user, password: Secret(password))
    }

    private static func line(
        _ question: String, _ terminal: UnsafeMutablePointer<FILE>, isShown: Bool
    ) throws -> String {
        var before = termios()
        let isTerminal = tcgetattr(fileno(terminal), &before) == 0
        if isTerminal, !isShown {
            var silent = before
            silent.c_lflag &= ~tcflag_t(ECHO)
            // Before the question: an answer that comes at once must neither be shown nor thrown away.
            tcsetattr(fileno(terminal), TCSAFLUSH, &silent)
        }
        fputs(question, terminal)
        defer {
            if isTerminal, !isShown {
                tcsetattr(fileno(terminal), TCSADRAIN, &before)
                fputs("\n", terminal)
            }
        }
        // No user name or password is longer.
        var buffer = [CChar](repeating: 0, count: 1024)
        guard fgets(&buffer, Int32(buffer.count), terminal) != nil else {
            throw CommandFailure("--proxy-credentials prompt: nothing was entered", status: .usage)
        }
        let bytes = buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }.filter {
            $0 != 0x0A && $0 != 0x0D
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}

/// Runs what blocks on a thread that may.
func offTheEventLoop<Result: Sendable>(_ body: @escaping @Sendable () throws -> Result) async throws -> Result
{
    try await NIOThreadPool.singleton.runIfActive(body)
}
