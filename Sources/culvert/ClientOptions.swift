public import ArgumentParser
public import CulvertTunnel
import Foundation
import HTTPTypes

/// How `ws` and `connect` get out, and whom they trust.
struct ClientOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Proxy to go through: http://[user:password@]host[:port], or https, socks5h, socks5 or socks4a in place of http; 'none' for none.",
            discussion: """
                socks5h and socks4a let the proxy look names up, socks5 looks them up here. An https URL may carry TLS \
                options of its own: https://host?ca=FILE&servername=NAME&cert=FILE&key=FILE. \
                Given more than once, the proxies form a chain, nearest first. Without it the environment decides: \
                wss_proxy, ws_proxy, https_proxy, http_proxy, all_proxy, no_proxy.
                """,
            valueName: "url"))
    var proxy: [String] = []

    @Option(
        help: ArgumentHelp(
            "Way out for some targets: a pattern, then ways by preference. Repeatable; the first that matches decides.",
            discussion: """
                '*.corp.example direct', '10.0.0.0/8 direct', '* http://proxy:8080, http://backup:8080, direct'. The last \
                rule is for *. The next way is taken only when a proxy cannot be reached; a chain is written \
                http://a:8080 -> http://b:8080.
                """,
            valueName: "rule"))
    var route: [String] = []

    @Option(
        help: ArgumentHelp(
            "Proxy auto-configuration script that decides: a file, or an http or https URL.",
            discussion: """
                It runs in a process of its own, with limits on time and memory, and sees scheme, host and port of the \
                target. The script of an https URL comes from a server that --proxy-ca trusts.
                """,
            valueName: "file|url"),
        completion: .file())
    var pac: String?

    @Flag(
        help:
            "Take the script of http://wpad/wpad.dat. Whoever answers for that name on the network controls it."
    )
    var wpad = false

    @Option(
        help: ArgumentHelp(
            "What a script that fails means: error, or direct to go past the proxies it may have named.",
            valueName: "error|direct"))
    var pacFallback: ProxyScript.Failure = .error

    @Option(
        help: ArgumentHelp("Field for the CONNECT request, 'Name: value'. Repeatable.", valueName: "field"))
    var proxyHeader: [String] = []

    @Option(
        help: ArgumentHelp(
            "Where the proxy's credentials are: file:PATH, netrc, netrc:PATH, env:NAME, command:COMMAND, or prompt.",
            discussion: """
                For proxies whose URL holds none. A file, variable or command gives one line: user:password, \
                DOMAIN\\user:password, user:$NT$HASH for NTLM, or Bearer TOKEN. A file must be its owner's alone.
                """,
            valueName: "source"))
    var proxyCredentials: String?

    @Option(
        help: ArgumentHelp(
            "Scheme to authenticate by with a proxy: negotiate, digest, ntlm, bearer or basic. Repeatable; the order is the preference.",
            discussion:
                "Without it all are allowed, in this order. Leave out basic and no password crosses in the clear.",
            valueName: "scheme"))
    var proxyAuth: [AuthenticationScheme] = []

    @Option(
        help: ArgumentHelp(
            "Host of the Kerberos service HTTP/host, where it is not the proxy's.", valueName: "host"))
    var proxyServiceHost: String?

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
        help: ArgumentHelp(
            "PEM file with a client certificate for the target, or a server's own.", valueName: "file"),
        completion: .file())
    var cert: String?

    @Option(
        help: ArgumentHelp("PEM file with the certificate's private key.", valueName: "file"),
        completion: .file())
    var key: String?

    @Option(
        help: ArgumentHelp(
            "Public key that the target's certificate must have, 'sha256//BASE64' as curl takes it. Repeatable.",
            valueName: "digest"))
    var pin: [String] = []

    @Option(
        help: ArgumentHelp(
            "Name to send as SNI and to look for in the target's certificate, instead of its host.",
            valueName: "name"))
    var serverName: String?

    @Option(
        help: ArgumentHelp(
            "Limit for name lookup, proxies, TLS and upgrade together.", valueName: "seconds"))
    var openTimeout: Seconds = 30

    mutating func validate() throws {
        _ = try self.proxySetting(isTold: false)
        if let text = self.proxyCredentials, text != "prompt", ProxyCredentialSource(text) == nil {
            throw ValidationError(
                "--proxy-credentials: expected file:PATH, netrc, netrc:PATH, env:NAME, command:COMMAND or prompt."
            )
        }
        _ = try HeaderField.fields(self.proxyHeader, option: "--proxy-header")
        for pin in self.pin where PublicKeyPin(pin) == nil {
            throw ValidationError("--pin: expected 'sha256//' and a SHA-256 digest in Base64, not '\(pin)'.")
        }
        if (self.cert == nil) != (self.key == nil) {
            throw ValidationError("--cert and --key belong together: give both or neither.")
        }
    }

    /// - Parameter isTold: prints what was assumed of the URLs.
    func proxySetting(isTold: Bool = true) throws -> ProxySetting {
        let ways = [!self.proxy.isEmpty, !self.route.isEmpty, self.pac != nil, self.wpad]
        guard ways.count(where: \.self) <= 1 else {
            throw ValidationError("One of --proxy, --route, --pac and --wpad decides; give no two.")
        }
        if let source = try self.scriptSource() { return .script(self.script(source)) }
        if !self.route.isEmpty { return .rules(try self.rules(isTold: isTold)) }
        guard !self.proxy.isEmpty else { return .environment }
        if self.proxy == ["none"] { return .none }
        return .hops(try self.proxy.map { try parseProxyURL($0, option: "--proxy", isTold: isTold) })
    }

    private func scriptSource() throws -> ProxyScriptSource? {
        if self.wpad { return .wpad }
        guard let pac else { return nil }
        guard let source = ProxyScriptSource(pac) else {
            throw ValidationError("--pac: expected a file, or an http or https URL.")
        }
        return source
    }

    private func script(_ source: ProxyScriptSource) -> ProxyScript {
        ProxyScript(
            source,
            .init {
                $0.evaluator = PACEvaluatorCommand.invocation
                $0.onFailure = self.pacFallback
                $0.tls = self.proxyTLS
                $0.onNotice = { StandardError.print("culvert: note: \(printable($0))") }
            })
    }

    private func rules(isTold: Bool) throws -> RouteRules {
        do {
            let rules = try RouteRules(self.route)
            for assumption in rules.assumptions where isTold {
                StandardError.print("culvert: note: --route: \(assumption)")
            }
            return rules
        } catch {
            throw ValidationError("--route: \(error).")
        }
    }

    /// Who is asked for credentials that no URL holds.
    var credentialProvider: (@Sendable (ProxyHop) async throws -> ProxyCredentials?)? {
        guard let text = self.proxyCredentials else { return nil }
        guard let source = ProxyCredentialSource(text) else { return CredentialPrompt().credentials }
        return { hop in
            do {
                return try await offTheEventLoop { try source.credentials(forHost: "\(hop.authority.host)") }
            } catch {
                throw CommandFailure("--proxy-credentials: \(error)", status: .usage)
            }
        }
    }

    var proxyAuthentication: ProxyAuthOptions {
        ProxyAuthOptions {
            if !self.proxyAuth.isEmpty { $0.schemes = self.proxyAuth }
            $0.serviceHost = self.proxyServiceHost
            $0.sendsUnasked = self.proxyPreemptiveAuth
        }
    }

    var tls: TLSOptions {
        TLSOptions {
            $0.trustRoots = self.ca.map(TLSOptions.TrustRoots.file) ?? .system
            $0.pins = Set(self.pin.compactMap(PublicKeyPin.init))
            $0.serverName = self.serverName
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

extension AuthenticationScheme: ExpressibleByArgument {}
extension ProxyScript.Failure: ExpressibleByArgument {}

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

/// A positive number of seconds, or `none`.
struct SecondsOrNone: ExpressibleByArgument, ExpressibleByIntegerLiteral {
    /// Nil for none.
    let duration: Duration?
    let defaultValueDescription: String

    init?(argument: String) {
        if argument == "none" {
            self.duration = nil
        } else {
            guard let seconds = Seconds(argument: argument) else { return nil }
            self.duration = seconds.duration
        }
        self.defaultValueDescription = argument
    }

    init(integerLiteral value: Int) {
        self.duration = .seconds(value)
        self.defaultValueDescription = String(value)
    }
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
