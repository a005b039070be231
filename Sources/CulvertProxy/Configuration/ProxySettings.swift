import CulvertTunnel
import Foundation
import HTTPWire
public import Logging
import NIOPosix
import ProxyAuth
import ProxyRoutes

/// A proxy's configuration as the configuration file, the environment and the flags give it.
///
/// ```swift
/// let settings = try ProxySettings.load(file: "/etc/culvert.yaml")
/// try await ProxyServer(settings.proxy).run()
/// ```
public struct ProxySettings: Sendable {
    /// What the server runs on.
    public var proxy = ProxyConfiguration()
    /// Where the access log goes; `-` is standard output, `none` nowhere. Who runs the server opens it.
    public var accessLog = "-"
    /// How a line of it looks.
    public var accessLogFormat = AccessLogWriter.Format.json
    /// Where the admin listener is; nil for none.
    public var admin: ListenAddress?
    /// Names by which it may be called, besides addresses and `localhost`.
    public var adminHostNames: [String] = []
    /// How many event loops the process has, and as many threads that relay tunnels; nil is one per core. Who runs the
    /// server makes them, before anything else: `NIOSingletons.groupLoopCountSuggestion`.
    public var threads: Int?
    /// How much a command tells on standard error.
    public var logLevel = Logger.Level.notice
    /// Whether a change of one of ``files`` should be followed by a reload.
    public var watchesFiles = true
    /// The files that were read: a reload is due when one changes.
    public private(set) var files: [String] = []
    /// What was assumed, for example the port of a parent without one.
    public private(set) var notices: [String] = []
    /// Settings as they were given, by name, to tell what a reload cannot change.
    private var entries: [String: ConfigurationEntry] = [:]
    private var pacEvaluator: [String] = []

    var usersFile: ConfigurationEntry?
    var tokensFile: ConfigurationEntry?
    var digestFile: ConfigurationEntry?
    var ntlmFile: ConfigurationEntry?
    var keyTable: ConfigurationEntry?
    var allowsPlainPasswords = false
    var allowsHTTP2 = true
    var tlsCert: ConfigurationEntry?
    var tlsKey: ConfigurationEntry?
    var tlsClientCA: ConfigurationEntry?
    var upstreamCA: ConfigurationEntry?
    var upstreamCredentials: ConfigurationEntry?
    var upstreamServiceHost = ""
    var pac = ""
    var usesWPAD = false
    var pacFallback = ProxyScript.Failure.error
    var pacRefresh = ProxyScript.Options().refreshInterval
    var routes: ConfigurationEntry?
    var rules: ConfigurationEntry?
    var rulesHaveDefault = false

    /// The defaults.
    public init() {}

    /// Reads all sources: the file, then the environment over it, then the flags.
    ///
    /// - Parameters:
    ///   - file: a YAML file; nil for none.
    ///   - environment: variables, of which those named `CULVERT_…` after a setting count.
    ///   - flags: values by setting name, as a command line gave them; a value given once is a list of one.
    ///   - pacEvaluator: the program for PAC scripts, as in ``CulvertTunnel/ProxyScript/Options/evaluator``.
    /// - Throws: ``ConfigurationError`` that names the place, the key and the problem. Nothing is half applied.
    public static func load(
        file: String? = nil, environment: [String: String] = [:], flags: [String: [String]] = [:],
        pacEvaluator: [String] = ProxyScript.Options().evaluator
    ) throws(ConfigurationError) -> ProxySettings {
        var settings = ProxySettings()
        settings.pacEvaluator = pacEvaluator
        if let file { settings.entries = try settings.read(file) }
        for entry in ConfigurationSources.entries(environment: environment) {
            settings.entries[entry.key] = entry
        }
        for entry in try ConfigurationSources.entries(flags: flags) { settings.entries[entry.key] = entry }
        for key in ConfigurationKey.all {
            if let entry = settings.entries[key.name] { try key.apply(&settings, entry) }
        }
        if settings.entries["listen"] == nil,
            PassedSocket.count(in: environment, process: ProcessInfo.processInfo.processIdentifier) > 0
        {
            settings.proxy.listeners = [.serviceManager]
        }
        try settings.finish()
        return settings
    }

    /// The names of settings that differ and that only a restart changes.
    public func settingsNeedingRestart(comparedWith other: ProxySettings) -> [String] {
        ConfigurationKey.all.filter { key in
            !key.isReloadable && self.entries[key.name]?.value != other.entries[key.name]?.value
        }.map(\.name)
    }

    // MARK: What needs more than one setting, or a file

    private mutating func finish() throws(ConfigurationError) {
        if let rules, !self.rulesHaveDefault {
            throw rules.error("rules need rule-default: allow or deny, for what none of them matches")
        }
        try self.finishTLS()
        try self.finishUpstream()
        try self.finishUsers()
    }

    private mutating func finishTLS() throws(ConfigurationError) {
        switch (self.tlsCert, self.tlsKey) {
        case (let certificate?, let key?):
            self.proxy.tls = ListenerTLS(
                certificateChainFile: try certificate.text(), privateKeyFile: try key.text(),
                clientAuthoritiesFile: try self.tlsClientCA?.text())
            self.proxy.tls?.allowsHTTP2 = self.allowsHTTP2
            for entry in [certificate, key, self.tlsClientCA] {
                if let entry { self.files.append(try entry.text()) }
            }
        case (let certificate?, nil): throw certificate.error("needs its private key: tls-key")
        case (nil, let key?): throw key.error("needs its certificate: tls-cert")
        case (nil, nil):
            if let tlsClientCA {
                throw tlsClientCA.error("needs the proxy's own certificate: tls-cert, tls-key")
            }
        }
    }

    private mutating func finishUpstream() throws(ConfigurationError) {
        if !self.upstreamServiceHost.isEmpty {
            self.proxy.upstreamAuthentication.serviceHost = self.upstreamServiceHost
        }
        try self.finishRoutes()
        try self.finishUpstreamCredentials()
        try self.finishUpstreamCA()
        try self.finishScript()
    }

    private mutating func finishUpstreamCA() throws(ConfigurationError) {
        guard let upstreamCA else { return }
        guard
            self.hasScript
                || self.proxy.allRoutes.flatMap(\.hops).contains(where: { $0.scheme == .https })
        else {
            throw upstreamCA.error("is for https parents, and no upstream is one")
        }
        let path = try upstreamCA.text()
        self.files.append(path)
        self.proxy.upstreamTLS.trustRoots = .file(path)
    }

    private var hasScript: Bool { !self.pac.isEmpty || self.usesWPAD }

    private mutating func finishScript() throws(ConfigurationError) {
        guard self.hasScript else { return }
        let key = self.pac.isEmpty ? "wpad" : "pac"
        let place = self.entries[key]?.place ?? .program
        let error = { ConfigurationError(place: place, key: key, problem: $0) }
        guard self.proxy.routes == nil, self.proxy.upstream.hops.isEmpty, self.pac.isEmpty || !self.usesWPAD
        else {
            throw error("one of pac, wpad, route and upstream decides; give no two")
        }
        guard let source = self.usesWPAD ? .wpad : ProxyScriptSource(self.pac) else {
            throw error("expected a file, or an http or https URL")
        }
        let logger = Logger(label: "culvert.pac")
        self.proxy.script = ProxyScript(
            source,
            .init {
                $0.evaluator = self.pacEvaluator
                $0.onFailure = self.pacFallback
                $0.refreshInterval = self.pacRefresh
                $0.tls = self.proxy.upstreamTLS
                $0.onNotice = { logger.notice("the proxy script", metadata: ["notice": "\($0)"]) }
            })
    }

    private mutating func finishRoutes() throws(ConfigurationError) {
        guard let routes else { return }
        guard self.proxy.upstream.hops.isEmpty else {
            throw routes.error("route and upstream do not go together; the last rule is for *")
        }
        let texts = try routes.each { (item) throws(ConfigurationError) in try item.text() }
        do {
            let rules = try RouteRules(texts)
            self.notices += rules.assumptions.map { "\(routes.place): \($0)" }
            self.proxy.routes = rules
        } catch {
            throw routes.error("\(error)")
        }
    }

    private mutating func finishUpstreamCredentials() throws(ConfigurationError) {
        guard let upstreamCredentials else { return }
        guard let source = ProxyCredentialSource(try upstreamCredentials.text()) else {
            throw upstreamCredentials.error(
                "expected file:PATH, netrc, netrc:PATH, env:NAME or command:COMMAND")
        }
        if let path = source.path { self.files.append(path) }
        self.proxy.upstreamCredentials = { hop in
            try await NIOThreadPool.singleton.runIfActive {
                try source.credentials(forHost: "\(hop.authority.host)")
            }
        }
        let withCredentials = { (hop: ProxyHop) throws(ProxyCredentialError) in
            var hop = hop
            if hop.credentials == nil {
                hop.credentials = try source.credentials(forHost: "\(hop.authority.host)")
            }
            return hop
        }
        do {
            self.proxy.upstream = Route(try self.proxy.upstream.hops.map(withCredentials))
            self.proxy.routes = try self.proxy.routes?.mappingHops(withCredentials)
        } catch {
            throw upstreamCredentials.error("\(error)")
        }
    }

    private mutating func finishUsers() throws(ConfigurationError) {
        if let usersFile {
            let allowsPlainText = self.allowsPlainPasswords
            let table = try self.table(in: usersFile) { (text) throws(UserTableError) in
                try UserTable(parsing: text, allowsPlainText: allowsPlainText)
            }
            for probe in table.probes.sorted() where !SystemCrypt.supports(probe) {
                throw usersFile.error("this system's crypt has no \(probe.prefix(3)) hashes")
            }
            self.proxy.users = table
        }
        if let tokensFile {
            self.proxy.tokens = try self.table(in: tokensFile) { (text) throws(UserTableError) in
                try TokenTable(parsing: text)
            }
        }
        try self.finishChallengedUsers()
    }

    private mutating func finishChallengedUsers() throws(ConfigurationError) {
        if let digestFile {
            let realm = self.proxy.plainRealm
            self.proxy.digestUsers = try self.table(in: digestFile) { (text) throws(UserTableError) in
                try DigestUserTable(parsing: text, realm: realm)
            }
        }
        if let ntlmFile {
            self.proxy.ntlmUsers = try self.table(in: ntlmFile) { (text) throws(UserTableError) in
                try NTLMUserTable(parsing: text)
            }
        }
        guard let keyTable else { return }
        let path = try keyTable.text()
        self.files.append(path)
        do {
            self.proxy.kerberos = try KerberosService(keyTable: path)
        } catch {
            throw keyTable.error("\(error)")
        }
    }

    /// The error names the line of the file that was read: there is the mistake.
    private mutating func table<Table>(
        in entry: ConfigurationEntry, _ parse: (String) throws(UserTableError) -> Table
    ) throws(ConfigurationError) -> Table {
        let (path, text) = try self.contents(of: entry)
        do {
            return try parse(text)
        } catch {
            throw entry.error("\(path): \(error)")
        }
    }

    /// A parent's URL. The error never repeats the value: it may hold a password.
    mutating func hop(_ entry: ConfigurationEntry) throws(ConfigurationError) -> ProxyHop {
        do {
            let (hop, assumptions) = try ProxyHop.parse(try entry.text())
            self.notices += assumptions.map { "\(entry.place): \($0)" }
            return hop
        } catch let error as ConfigurationError {
            throw error
        } catch {
            throw entry.error("\(error)")
        }
    }

    // MARK: Files

    private mutating func read(_ path: String) throws(ConfigurationError) -> [String: ConfigurationEntry] {
        self.files.append(path)
        do {
            return try ConfigurationSources.entries(yaml: try TextFile.read(path), path: path)
        } catch let error as ConfigurationError {
            throw error
        } catch {
            throw ConfigurationError(place: .file(path, line: 0), key: nil, problem: "\(error)")
        }
    }

    /// The text of the file that a setting names, which is watched from here on.
    mutating func contents(
        of entry: ConfigurationEntry
    ) throws(ConfigurationError) -> (path: String, text: String) {
        let path = try entry.text()
        self.files.append(path)
        do {
            return (path, try TextFile.read(path))
        } catch {
            throw entry.error("\(path): \(error)")
        }
    }
}
