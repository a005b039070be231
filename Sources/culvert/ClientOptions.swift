import ArgumentParser
import CulvertTunnel
import Foundation
import HTTPTypes

/// How `ws` and `connect` get out, and whom they trust.
struct ClientOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Proxy to go through: http://[user:password@]host[:port] or https://…; 'none' for none.",
            discussion: """
                Given more than once, the proxies form a chain, nearest first. Without it the environment decides: \
                wss_proxy, ws_proxy, https_proxy, http_proxy, all_proxy, no_proxy.
                """,
            valueName: "url"))
    var proxy: [String] = []

    @Option(
        help: ArgumentHelp("Field for the CONNECT request, 'Name: value'. Repeatable.", valueName: "field"))
    var proxyHeader: [String] = []

    @Flag(help: "Send the proxy's user name and password before it asks for them.")
    var proxyPreemptiveAuth = false

    @Option(
        help: ArgumentHelp("PEM file with the authorities to trust for https proxies.", valueName: "file"),
        completion: .file())
    var proxyCa: String?

    @Option(
        help: ArgumentHelp("PEM file with the authorities to trust for the target.", valueName: "file"),
        completion: .file())
    var ca: String?

    @Option(
        help: ArgumentHelp("PEM file with a client certificate for the target.", valueName: "file"),
        completion: .file())
    var cert: String?

    @Option(
        help: ArgumentHelp("PEM file with the client certificate's private key.", valueName: "file"),
        completion: .file())
    var key: String?

    @Option(
        help: ArgumentHelp(
            "Limit for name lookup, proxies, TLS and upgrade together.", valueName: "seconds"))
    var openTimeout: Seconds = 30

    mutating func validate() throws {
        _ = try self.proxySetting(isTold: false)
        _ = try HeaderField.fields(self.proxyHeader, option: "--proxy-header")
        if (self.cert == nil) != (self.key == nil) {
            throw ValidationError("--cert and --key belong together: give both or neither.")
        }
    }

    /// - Parameter isTold: prints what was assumed of the URLs.
    func proxySetting(isTold: Bool = true) throws -> ProxySetting {
        guard !self.proxy.isEmpty else { return .environment }
        if self.proxy == ["none"] { return .none }
        return .hops(try self.proxy.map { try parseProxyURL($0, option: "--proxy", isTold: isTold) })
    }

    var tls: TLSOptions {
        TLSOptions {
            $0.trustRoots = self.ca.map(TLSOptions.TrustRoots.file) ?? .system
            if let cert, let key {
                $0.identity = .init(certificateChainFile: cert, privateKeyFile: key)
            }
        }
    }

    var proxyTLS: TLSOptions {
        TLSOptions { $0.trustRoots = self.proxyCa.map(TLSOptions.TrustRoots.file) ?? .system }
    }

    func connectFields() throws -> HTTPFields {
        try HeaderField.fields(self.proxyHeader, option: "--proxy-header")
    }
}

/// A proxy URL of the command line. The error never repeats the value: it may hold a password.
func parseProxyURL(_ text: String, option: String, isTold: Bool) throws -> ProxyHop {
    do {
        let (hop, assumptions) = try ProxyHop.parse(text)
        for assumption in assumptions where isTold {
            StandardError.print("culvert: note: \(option): \(assumption)")
        }
        return hop
    } catch {
        throw ValidationError("\(option): \(error).")
    }
}

/// A positive number of seconds, with decimals.
struct Seconds: ExpressibleByArgument, ExpressibleByIntegerLiteral {
    let duration: Duration
    private let text: String

    init?(argument: String) {
        // A year is more than any timeout; the bound keeps the arithmetic safe.
        guard let value = Double(argument), value > 0, value < 31_536_000 else { return nil }
        self.duration = .milliseconds(Int64((value * 1000).rounded(.up)))
        self.text = argument
    }

    init(integerLiteral value: Int) {
        self.duration = .seconds(value)
        self.text = String(value)
    }

    var defaultValueDescription: String { self.text }
}

/// Reads header fields of the command line.
enum HeaderField {
    static func fields(_ lines: [String], option: String) throws -> HTTPFields {
        var fields = HTTPFields()
        for line in lines {
            guard let colon = line.firstIndex(of: ":"), let name = HTTPField.Name(String(line[..<colon]))
            else {
                throw ValidationError("\(option): expected 'Name: value'.")
            }
            let value = line[line.index(after: colon)...].trimmingCharacters(in: .whitespaces)
            guard HTTPField.isValidValue(value) else {
                throw ValidationError(
                    "\(option): the value of \(name) holds a character that no field may have.")
            }
            fields.append(HTTPField(name: name, value: value))
        }
        return fields
    }
}
