/// What libcurl does through `culvert proxy`, and how that has to come out: one entry of the scenario file.
package struct ProxyScenario: Sendable, Hashable, Decodable {
    /// How the proxy is set up.
    package enum Flavour: String, Sendable, Hashable, Codable, CaseIterable {
        /// For everyone, to everywhere.
        case open
        /// For a user with a password, by Basic.
        case users
        /// No port is allowed that an origin of the harness could have.
        case restricted
        /// A TLS listener.
        case tls = "tls-listener"
        /// A TLS listener that chooses HTTP/2.
        case http2 = "http2-listener"
        /// A listener that expects a PROXY protocol header.
        case proxyProtocol = "proxy-protocol"
        case socks
        /// SOCKS5 for a user with a password.
        case socksUsers = "socks-users"
        case digestUsers = "digest-users"
        case ntlmUsers = "ntlm-users"
        case negotiateUsers = "negotiate-users"
    }

    /// Features that the proxy may not have yet, as scenarios name them.
    package enum ProxyFeature: String, Sendable, Hashable, Codable, CaseIterable {
        /// Plain HTTP in absolute form.
        case forward
        case socks
        case tlsListener = "tls-listener"
        case http2Listener = "http2-listener"
        case proxyProtocol = "proxy-protocol"
        case digestUsers = "digest-users"
        case ntlmUsers = "ntlm-users"
        case negotiateUsers = "negotiate-users"
    }

    /// What has to be there for the scenario to be tried.
    enum Requirement: Sendable, Hashable {
        case proxy(ProxyFeature)
        case curl(CurlFeature)
    }

    package let name: String
    /// As the matrix shows it.
    package let title: String
    package let flavour: Flavour
    let requirements: [Requirement]
    /// One after another, over one set of connections.
    let requests: [ProxyScenarioRequest]

    private enum CodingKeys: String, CodingKey, CaseIterable {
        case name, title, proxy, requires, requests
    }

    package init(from decoder: any Decoder) throws {
        let container = try decoder.strictContainer(keyedBy: CodingKeys.self)
        self.name = try container.decode(String.self, forKey: .name)
        self.title = try container.decode(String.self, forKey: .title)
        self.flavour = try container.decode(.proxy, default: .open)
        self.requirements = try container.decode(.requires, default: [])
        self.requests = try container.decode([ProxyScenarioRequest].self, forKey: .requests)
        if self.requests.isEmpty {
            throw DecodingError.dataCorruptedError(
                forKey: .requests, in: container,
                debugDescription: "a scenario without requests shows nothing")
        }
    }
}

extension ProxyScenario.Requirement: Decodable {
    /// `forward`, or `curl:ws` for what libcurl must have.
    init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        let text = try container.decode(String.self)
        if text.hasPrefix("curl:"), let feature = CurlFeature(rawValue: String(text.dropFirst(5))) {
            self = .curl(feature)
        } else if let feature = ProxyScenario.ProxyFeature(rawValue: text) {
            self = .proxy(feature)
        } else {
            throw DecodingError.dataCorruptedError(
                in: container, debugDescription: "\(text.debugDescription) is no feature")
        }
    }
}
