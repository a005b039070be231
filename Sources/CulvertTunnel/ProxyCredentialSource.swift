import Foundation
public import ProxyAuth

/// Where the credentials for proxies are kept, so that they need not stand in a URL, which others see in `ps`.
public enum ProxyCredentialSource: Sendable, Hashable {
    /// A file that only its owner can read, with one line: `user:password`, `DOMAIN\user:password`,
    /// `user:$NT$` and the hash of the password for NTLM, or `Bearer` and a token.
    case file(String)
    /// A netrc file; `~/.netrc` where no path is given. The entry of the proxy's host, or the default one.
    case netrc(String?)
    /// An environment variable that holds such a line.
    case variable(String)
    /// A shell command that prints such a line.
    case command(String)

    /// Reads `file:PATH`, `netrc`, `netrc:PATH`, `env:NAME` or `command:COMMAND`.
    public init?(_ text: String) {
        let parts = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
        let value = parts.count == 2 ? String(parts[1]) : ""
        switch (parts[0], value.isEmpty) {
        case ("netrc", true): self = .netrc(nil)
        case ("netrc", false): self = .netrc(value)
        case ("file", false): self = .file(value)
        case ("env", false): self = .variable(value)
        case ("command", false): self = .command(value)
        default: return nil
        }
    }

    /// The file that is read; nil for what is none.
    package var path: String? {
        switch self {
        case .file(let path): path
        case .netrc(let path): path ?? Self.defaultNetrc
        case .variable, .command: nil
        }
    }

    private static var defaultNetrc: String {
        FileManager.default.homeDirectoryForCurrentUser.appendingPathComponent(".netrc").path
    }

    /// The credentials for a proxy. Blocks while a command runs, so not for an event loop.
    ///
    /// - Parameter host: the proxy's, which netrc files go by.
    /// - Returns: nil where a netrc file has no entry for the host.
    /// - Throws: ``ProxyCredentialError``, whose text never holds a secret.
    public func credentials(forHost host: String) throws(ProxyCredentialError) -> ProxyCredentials? {
        switch self {
        case .file(let path):
            return try CredentialLine.parse(try SecretFile.read(path), from: path)
        case .netrc(let path):
            return Netrc.credentials(forHost: host, in: try SecretFile.read(path ?? Self.defaultNetrc))
        case .variable(let name):
            guard let text = ProcessInfo.processInfo.environment[name] else {
                throw ProxyCredentialError("the environment has no variable \(name)")
            }
            return try CredentialLine.parse(text, from: name)
        case .command(let command):
            return try CredentialLine.parse(try SecretCommand.run(command), from: "the command's output")
        }
    }
}

/// Credentials that cannot be had; says why and what to do, and nothing of their text.
public struct ProxyCredentialError: Error, Hashable, Sendable, CustomStringConvertible {
    /// One sentence for a person.
    public let description: String

    init(_ description: String) {
        self.description = description
    }
}

/// One line that holds credentials.
enum CredentialLine {
    static func parse(_ text: String, from source: String) throws(ProxyCredentialError) -> ProxyCredentials {
        let line = text.split(whereSeparator: \.isNewline).first ?? ""
        let words = line.split(separator: " ", maxSplits: 1)
        if words.count == 2, words[0].lowercased() == "bearer" { return .bearer(Secret(String(words[1]))) }
        guard let colon = line.firstIndex(of: ":"), colon != line.startIndex else {
            throw ProxyCredentialError("\(source): expected a line user:password, or Bearer and a token")
        }
        let user = String(line[..<colon])
        let password = line[line.index(after: colon)...]
        guard password.hasPrefix("$NT$") else { return .init(user: user, password: Secret(String(password))) }
        guard
            let credentials = ProxyCredentials.ntlm(user: user, ntHash: Secret(String(password.dropFirst(4))))
        else { throw ProxyCredentialError("\(source): expected 32 hexadecimal digits behind $NT$") }
        return credentials
    }
}
