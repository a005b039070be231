import CulvertTunnel
import HTTPWire
import ProxyAuth
import ProxyPolicy
import ProxyRoutes

/// Every setting of the proxy. The file, the flags, the environment, the help and `--check` all read this table.
///
/// To add a setting, `some-limit`:
///
/// 1. a property with its default in ``ProxyConfiguration`` (or in ``ProxySettings`` when only the command needs it);
/// 2. a row here; its kinds are in `ConfigurationKey`. What needs other settings too goes into
///    `ProxySettings.finish()`; what a running proxy cannot change is `.needingRestart`;
/// 3. `@Option(help: .setting("some-limit")) var someLimit: String?` in `ProxyFlags` of the command: `[String]` for a
///    list, `@Flag` with `Bool?` for a boolean. A test fails while a row has no flag, or a flag no row;
/// 4. its place in the README's table.
///
/// The names then are `some-limit:` in the file, `--some-limit`, and `CULVERT_SOME_LIMIT`.
extension ConfigurationKey {
    /// The settings in the order of the help.
    public static let all: [ConfigurationKey] =
        listening + access + goingOut + forwarding + limits + operation

    /// The setting of this name.
    public static func named(_ name: String) -> ConfigurationKey? {
        self.byName[name]
    }

    static let byName = Dictionary(uniqueKeysWithValues: all.map { ($0.name, $0) })

    private static let listening: [ConfigurationKey] = [
        .list(
            "listen", "address:port",
            "Where to listen: address and port (0 is a free one), unix:/path[,mode=660], or systemd for the sockets that the service manager passed (LISTEN_FDS), which count without being named too.",
            default: ListenAddress.loopback.description
        ) { (settings, entry) throws(ConfigurationError) in
            settings.proxy.listeners = try entry.each { (item) throws(ConfigurationError) in
                try item.parsed("place to listen; expected 127.0.0.1:3128, [::1]:3128, unix:/path or systemd")
                {
                    ListenAddress($0)
                }
            }
        }.needingRestart,
        .file(
            "tls-cert", \.tlsCert,
            "PEM file with the proxy's certificate: clients may then speak TLS with it, on every listener."),
        .file("tls-key", \.tlsKey, "PEM file with the unencrypted private key of the certificate."),
        .file(
            "tls-client-ca", \.tlsClientCA,
            "PEM file with the authorities of client certificates. The common name is the user; who has no certificate is let in by a password only."
        ),
        .boolean("http2", \.allowsHTTP2, "Let TLS clients choose HTTP/2 by ALPN."),
        .list(
            "proxy-protocol-from", "network|unix",
            "Load balancers that begin each connection with a PROXY protocol header (1 or 2); unix for Unix sockets."
        ) { (settings, entry) throws(ConfigurationError) in
            var peers = TrustedPeers()
            for item in try entry.items() {
                if try item.text() == "unix" {
                    peers.includesUnixSockets = true
                } else {
                    peers.networks.append(
                        try item.parsed("network; expected 10.0.0.0/8, 192.0.2.1 or unix") {
                            IPNetwork(networkOrAddress: $0)
                        })
                }
            }
            settings.proxy.proxyProtocolFrom = peers
        },
    ]

    private static let access: [ConfigurationKey] = [
        .file(
            "users-file", \.usersFile,
            "Let in these users, by Basic: a file of htpasswd with bcrypt, or of SHA-256 or SHA-512 crypt."),
        .boolean(
            "users-plain-text", \.allowsPlainPasswords,
            "Take passwords in the users file that are not hashed."),
        .file(
            "tokens-file", \.tokensFile,
            "Let in these tokens, by Bearer: a file with one name:SHA-256 of the token per line."),
        .file(
            "digest-file", \.digestFile,
            "Let in these users, by Digest: a file of htdigest with the proxy's realm, MD5 or SHA-256."),
        .file(
            "ntlm-file", \.ntlmFile,
            "Let in these users, by NTLMv2: a file with one name:NT hash per line, as secret as passwords."),
        .file(
            "kerberos-keytab", \.keyTable,
            "Let in who has a ticket, by Negotiate: the key table of the service HTTP/host."),
        .text("realm", \.proxy.realm, "text", "The name that a client shows when it asks for a password."),
        .list("connect-port", "port", "Allow CONNECT to these ports only.") {
            (settings, entry) throws(ConfigurationError) in
            settings.proxy.policy.connectPorts = Set(
                try entry.each { (item) throws(ConfigurationError) in
                    UInt16(truncatingIfNeeded: try item.integer(in: 1...65535))
                })
        },
        .choice(
            "guard", \.proxy.guardMode,
            "Refuse special-purpose addresses; auto is on unless every listener is loopback or a Unix socket and no load balancer is trusted."
        ),
        .list("guard-except", "network", "Network that may be reached although the guard is on.") {
            (settings, entry) throws(ConfigurationError) in
            settings.proxy.guardExceptions = try entry.networks()
        },
        .list("role", "role=user,user", "Users with this role, for rules.") {
            (settings, entry) throws(ConfigurationError) in
            for (role, users) in try entry.roles() {
                settings.proxy.roles[role, default: []].formUnion(users)
            }
        }.separated(by: ";"),
        .list(
            "rule", "rule",
            "Rule for requests; the first that matches decides. 'allow' or 'deny', then conditions: user=, role=, "
                + "client=, method=, port=, host=, to= with values joined by commas, and name=."
        ) { (settings, entry) throws(ConfigurationError) in
            settings.rules = entry
            let items = try entry.items()
            for (index, item) in items.enumerated() {
                settings.proxy.policy.rules.append(try item.rule(number: index + 1))
            }
        }.separated(by: ";"),
        .init(
            "rule-default", "allow|deny",
            "What happens to requests that no rule matches; must be said with rules."
        ) {
            (settings, entry) throws(ConfigurationError) in
            settings.rulesHaveDefault = true
            settings.proxy.policy.defaultAction = try entry.choice(AccessRule.Action.self)
        },
        .choice(
            "rule-mode", \.proxy.policy.mode,
            "report lets through what rules deny, and logs it, to try rules out."),
    ]

    private static let goingOut: [ConfigurationKey] = [
        .list("upstream", "url", "Parent proxy to go out through; several are a chain, nearest first.") {
            (settings, entry) throws(ConfigurationError) in
            settings.proxy.upstream = Route(
                try entry.each { (item) throws(ConfigurationError) in try settings.hop(item) })
        },
        .list(
            "route", "rule",
            "Way out for some targets, in place of upstream: a pattern, then ways by preference, '*.corp.example direct' or "
                + "'* http://proxy:8080, http://backup:8080'. The first that matches decides; the last is for *."
        ) { (settings, entry) throws(ConfigurationError) in settings.routes = entry }.separated(by: ";"),
        .text(
            "pac", \.pac, "file|url",
            "Proxy auto-configuration script that decides the way out, in place of upstream and route: a file, or an http or https URL."
        ),
        .duration("pac-refresh", \.pacRefresh, "How often the script of a URL is asked for again."),
        .boolean(
            "wpad", \.usesWPAD,
            "Take the script of http://wpad/wpad.dat, which whoever answers for that name controls."),
        .choice(
            "pac-fallback", \.pacFallback,
            "What a script that fails means: an error for the request, or going direct."),
        .file("upstream-ca", \.upstreamCA, "PEM file with the authorities to trust for https parents."),
        .list(
            "upstream-auth", "scheme",
            "Scheme to authenticate by with a parent, the preferred one first: negotiate, digest, ntlm, bearer, basic."
        ) { (settings, entry) throws(ConfigurationError) in
            settings.proxy.upstreamAuthentication.schemes = try entry.each {
                (item) throws(ConfigurationError) in
                try item.parsed("scheme; expected negotiate, digest, ntlm, bearer or basic") {
                    AuthenticationScheme(rawValue: $0)
                }
            }
        },
        .file(
            "upstream-credentials", \.upstreamCredentials,
            "Where the credentials for parents are whose URLs hold none: file:PATH, netrc, netrc:PATH, env:NAME or command:COMMAND."
        ),
        .text(
            "upstream-service-host", \.upstreamServiceHost, "host",
            "Host of the parent's Kerberos service HTTP/host, where it is not that of its URL."),
    ]

    private static let forwarding: [ConfigurationKey] = [
        .boolean("forward", \.proxy.forwarding.isEnabled, "Forward plain http:// requests, besides CONNECT."),
        .init(
            "via", "name",
            "This proxy's name in Via and Proxy-Status, another one for each proxy on a way; by default one is made up."
        ) { (settings, entry) throws(ConfigurationError) in
            settings.proxy.forwarding.pseudonym = try entry.parsed(
                "name: a letter, then letters, digits, '-', '.' or '_'"
            ) { Via.isPseudonym($0) ? $0 : nil }
        }.needingRestart,
        .duration(
            "keep-alive-timeout", \.proxy.forwarding.keepAliveTimeout,
            "How long a client's connection may wait for its next request."),
        .duration(
            "origin-idle-timeout", \.proxy.forwarding.originIdleTimeout,
            "How long a connection to an origin is kept for the next request."
        ).needingRestart,
        .number(
            "origin-idle-connections", \.proxy.forwarding.maxIdleConnectionsPerOrigin, in: 0...10_000,
            "How many connections to one origin are kept by each thread."
        ).needingRestart,
        .number(
            "idle-connections", \.proxy.forwarding.maxIdleConnections, in: 0...1_000_000,
            "How many connections to origins are kept by each thread in all."
        ).needingRestart,
    ]

    private static let limits: [ConfigurationKey] = [
        .duration("head-timeout", \.proxy.headTimeout, "Limit for the head of a request."),
        .duration(
            "body-timeout", \.proxy.forwarding.bodyTimeout,
            "Limit for the next piece of a forwarded request's body."),
        .duration("connect-timeout", \.proxy.connectTimeout, "Limit for opening a tunnel."),
        .duration(
            "name-cache-time", \.proxy.nameCacheTime,
            "How long the addresses of a name count before the system is asked again; 0s asks each time."),
        .duration(
            "idle-timeout", \.proxy.idleTimeout,
            "End a tunnel or a request in which nothing moves for so long."),
        .duration(
            "drain-delay", \.proxy.drainDelay,
            "How long connections are still accepted after the stop, while /readyz already says no."),
        .duration("drain-timeout", \.proxy.drainTimeout, "How long open tunnels may finish after the stop."),
        .bytes("max-head-bytes", \.proxy.maxHeadBytes, in: 64...1_048_576, "Largest head of a request."),
        .limit(
            "max-connections", \.proxy.limits.connections, in: 1...10_000_000,
            "Connections of clients at once, in all; one more is answered 503."),
        .limit(
            "client-connections", \.proxy.limits.perClient.connections, in: 1...10_000_000,
            "Connections at once of each client, which is an IPv4 address or an IPv6 /64."),
        .rate(
            "client-request-rate", \.proxy.limits.perClient.requestRate,
            "Requests of each client; one more is answered 429."),
        .bandwidth(
            "client-bandwidth", \.proxy.limits.perClient.bandwidth,
            "Bytes a second each way of each client, over all its connections."),
        .limit(
            "user-connections", \.proxy.limits.perUser.connections, in: 1...10_000_000,
            "Connections at once of each user."),
        .rate("user-request-rate", \.proxy.limits.perUser.requestRate, "Requests of each user."),
        .bandwidth(
            "user-bandwidth", \.proxy.limits.perUser.bandwidth,
            "Bytes a second each way of each user, over all connections."),
    ]

    private static let operation: [ConfigurationKey] = [
        .choice(
            "relay", \.proxy.relay,
            "How tunnels are moved: by the kernel (splice, Linux only), by copying, or auto for the best there is, which also opens plain tunnels with fewer system calls."
        ),
        .limit(
            "threads", \.threads, in: 1...1024,
            "How many threads carry connections, and as many again the tunnels that splice moves; one per core unless told."
        ).needingRestart,
        .text(
            "access-log", \.accessLog, "file",
            "Where the access log goes: a file, - for standard output, or none."
        ).needingRestart,
        .choice(
            "access-log-format", \.accessLogFormat,
            "How a line of the access log looks: JSON, or Squid's native format."
        ).needingRestart,
        .init(
            "admin", "address:port",
            "Address and port of the admin listener: status page, /metrics, /healthz, /readyz. Asks for no password."
        ) { (settings, entry) throws(ConfigurationError) in
            settings.admin = try entry.parsed("address and port; expected 127.0.0.1:9090") {
                ListenAddress(addressAndPort: $0)
            }
        }.needingRestart,
        .list(
            "admin-host", "name",
            "Name by which the admin listener may be called, besides addresses and localhost."
        ) { (settings, entry) throws(ConfigurationError) in
            settings.adminHostNames = try entry.each { (item) throws(ConfigurationError) in try item.text() }
        }.needingRestart,
        .choice(
            "log-level", \.logLevel, "Diagnostics on standard error."
        ).needingRestart,
        .boolean(
            "watch", \.watchesFiles, "Reload when the configuration file, or a file it names, changes."
        ).needingRestart,
    ]
}
