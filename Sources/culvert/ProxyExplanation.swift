import ArgumentParser
import CulvertProxy
import HTTPWire

/// `--explain USER HOST:PORT [CLIENT] [METHOD]`.
struct ProxyExplanation {
    private let user: String?
    private let target: Authority
    private let client: IPAddress
    private let method: String

    init(_ words: [String]) throws {
        guard (2...4).contains(words.count) else {
            throw ValidationError(
                "--explain: expected USER HOST:PORT, and perhaps a client's address and a method.")
        }
        self.user = words[0] == "-" ? nil : words[0]
        do { self.target = try Authority(words[1]) } catch { throw ValidationError("--explain: \(error).") }
        let clientText = words.count > 2 ? words[2] : "127.0.0.1"
        guard let client = IPAddress(clientText) else {
            throw ValidationError(
                "--explain: '\(printable(clientText.prefix(80)))' is no address of a client.")
        }
        self.client = client
        self.method = words.count > 3 ? words[3].uppercased() : "CONNECT"
    }

    /// - Throws: the exit code of a refusal.
    func tell(_ settings: ProxySettings) async throws {
        let explanation = await settings.proxy.explain(
            user: self.user, client: self.client, method: self.method, target: self.target)
        print(printable(explanation.description))
        if !explanation.isAllowed { throw ExitCode(CommandStatus.refusedByProxy.rawValue) }
    }
}
