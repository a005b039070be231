import ArgumentParser
import CulvertProxy

/// The flags that are settings: names, help and defaults come from ``ConfigurationKey``, and so does their meaning.
struct ProxyFlags: ParsableArguments {
    @Option(help: .setting("listen")) var listen: [String] = []
    @Option(help: .setting("tls-cert"), completion: .file()) var tlsCert: String?
    @Option(help: .setting("tls-key"), completion: .file()) var tlsKey: String?
    @Option(help: .setting("tls-client-ca"), completion: .file()) var tlsClientCa: String?
    @Flag(inversion: .prefixedNo, help: .setting("http2")) var http2: Bool?
    @Option(help: .setting("proxy-protocol-from")) var proxyProtocolFrom: [String] = []
    @Option(help: .setting("users-file"), completion: .file()) var usersFile: String?
    @Flag(inversion: .prefixedNo, help: .setting("users-plain-text")) var usersPlainText: Bool?
    @Option(help: .setting("tokens-file"), completion: .file()) var tokensFile: String?
    @Option(help: .setting("digest-file"), completion: .file()) var digestFile: String?
    @Option(help: .setting("ntlm-file"), completion: .file()) var ntlmFile: String?
    @Option(help: .setting("kerberos-keytab"), completion: .file()) var kerberosKeytab: String?
    @Option(help: .setting("realm")) var realm: String?
    @Option(help: .setting("connect-port")) var connectPort: [String] = []
    @Option(help: .setting("guard")) var `guard`: String?
    @Option(help: .setting("guard-except")) var guardExcept: [String] = []
    @Option(help: .setting("role")) var role: [String] = []
    @Option(help: .setting("rule")) var rule: [String] = []
    @Option(help: .setting("rule-default")) var ruleDefault: String?
    @Option(help: .setting("rule-mode")) var ruleMode: String?
    @Option(help: .setting("upstream")) var upstream: [String] = []
    @Option(help: .setting("route")) var route: [String] = []
    @Option(help: .setting("pac"), completion: .file()) var pac: String?
    @Option(help: .setting("pac-refresh")) var pacRefresh: String?
    @Flag(inversion: .prefixedNo, help: .setting("wpad")) var wpad: Bool?
    @Option(help: .setting("pac-fallback")) var pacFallback: String?
    @Option(help: .setting("upstream-ca"), completion: .file()) var upstreamCa: String?
    @Option(help: .setting("upstream-auth")) var upstreamAuth: [String] = []
    @Option(help: .setting("upstream-credentials")) var upstreamCredentials: String?
    @Option(help: .setting("upstream-service-host")) var upstreamServiceHost: String?
    @Flag(inversion: .prefixedNo, help: .setting("forward")) var forward: Bool?
    @Option(help: .setting("via")) var via: String?
    @Option(help: .setting("keep-alive-timeout")) var keepAliveTimeout: String?
    @Option(help: .setting("origin-idle-timeout")) var originIdleTimeout: String?
    @Option(help: .setting("origin-idle-connections")) var originIdleConnections: String?
    @Option(help: .setting("idle-connections")) var idleConnections: String?
    @Option(help: .setting("head-timeout")) var headTimeout: String?
    @Option(help: .setting("body-timeout")) var bodyTimeout: String?
    @Option(help: .setting("connect-timeout")) var connectTimeout: String?
    @Option(help: .setting("name-cache-time")) var nameCacheTime: String?
    @Option(help: .setting("idle-timeout")) var idleTimeout: String?
    @Option(help: .setting("drain-delay")) var drainDelay: String?
    @Option(help: .setting("drain-timeout")) var drainTimeout: String?
    @Option(help: .setting("max-head-bytes")) var maxHeadBytes: String?
    @Option(help: .setting("max-connections")) var maxConnections: String?
    @Option(help: .setting("client-connections")) var clientConnections: String?
    @Option(help: .setting("client-request-rate")) var clientRequestRate: String?
    @Option(help: .setting("client-bandwidth")) var clientBandwidth: String?
    @Option(help: .setting("user-connections")) var userConnections: String?
    @Option(help: .setting("user-request-rate")) var userRequestRate: String?
    @Option(help: .setting("user-bandwidth")) var userBandwidth: String?
    @Option(help: .setting("relay")) var relay: String?
    @Option(help: .setting("threads")) var threads: String?
    @Option(help: .setting("access-log"), completion: .file()) var accessLog: String?
    @Option(help: .setting("access-log-format")) var accessLogFormat: String?
    @Option(help: .setting("admin")) var admin: String?
    @Option(help: .setting("admin-host")) var adminHost: [String] = []
    @Option(help: .setting("log-level")) var logLevel: String?
    @Flag(inversion: .prefixedNo, help: .setting("watch")) var watch: Bool?

    /// What was given, by setting name: `headTimeout` is `--head-timeout` is the setting `head-timeout`.
    var given: [String: [String]] {
        self.declared.compactMapValues { $0 }
    }

    /// The settings that have a flag here.
    static var names: Set<String> { Set(ProxyFlags().declared.keys) }

    private var declared: [String: [String]?] {
        var values: [String: [String]?] = [:]
        for child in Mirror(reflecting: self).children {
            guard let label = child.label else { continue }
            values.updateValue(Self.texts(of: child.value), forKey: Self.name(ofProperty: label))
        }
        return values
    }

    private static func texts(of wrapper: Any) -> [String]? {
        switch wrapper {
        case let option as Option<String?>: option.wrappedValue.map { [$0] }
        case let option as Option<[String]>: option.wrappedValue.isEmpty ? nil : option.wrappedValue
        case let flag as Flag<Bool?>: flag.wrappedValue.map { [$0 ? "yes" : "no"] }
        default: preconditionFailure("a flag of the proxy is String?, [String] or Bool?")
        }
    }

    /// `_headTimeout`, as the property wrapper stores it, is `head-timeout`.
    private static func name(ofProperty label: String) -> String {
        label.drop { $0 == "_" }.reduce(into: "") { name, letter in
            name += letter.isUppercase ? "-" + letter.lowercased() : String(letter)
        }
    }
}

extension ArgumentHelp {
    /// The help of a setting, with what it may be repeated for and its default.
    static func setting(_ name: String) -> ArgumentHelp {
        guard let key = ConfigurationKey.named(name) else {
            preconditionFailure(
                "the flag --\(name) is of no setting; settings are in ConfigurationSchema.swift")
        }
        var text = key.summary
        if key.kind == .list { text += " Repeatable." }
        if let value = key.defaultText { text += " (default: \(value))" }
        return ArgumentHelp(stringLiteral: text).naming(key.valueName)
    }

    private func naming(_ valueName: String) -> ArgumentHelp {
        var help = self
        help.valueName = valueName
        return help
    }
}
