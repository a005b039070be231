/// A forward proxy, or something that stands in front of one.
package struct ProxyRecipe: Decodable, Sendable, Hashable {
    package let peer: PeerRecipe
    /// `user:password`, when it asks for them.
    package let credentials: String?
    /// How it asks.
    package let authentication: Authentication?
    /// What is spoken with it.
    package let scheme: ProxyAddress.Scheme
    /// The proxy behind it, which is started first.
    package let upstream: String?
    /// Checks that it cannot pass, and why.
    package let lacks: [String: String]

    package enum Authentication: String, Decodable, Sendable {
        case basic, digest, ntlm, negotiate
    }

    private enum CodingKeys: String, CodingKey, CaseIterable {
        case credentials, auth, tls, `protocol`, inFrontOf, lacks
    }

    private enum Transport: String, Decodable {
        case http, h2, socks5
    }

    package init(from decoder: any Decoder) throws {
        try decoder.refuseKeys(except: CodingKeys.allCases, PeerRecipe.CodingKeys.allCases)
        self.peer = try PeerRecipe(from: decoder)
        let object = try decoder.container(keyedBy: CodingKeys.self)
        self.credentials = try object.decodeIfPresent(String.self, forKey: .credentials)
        self.authentication = try object.decodeIfPresent(Authentication.self, forKey: .auth)
        self.upstream = try object.decodeIfPresent(String.self, forKey: .inFrontOf)
        self.lacks = try object.decode(.lacks, default: [:])
        let isTLS = try object.decode(.tls, default: false)
        switch try object.decode(.protocol, default: Transport.http) {
        case .http: self.scheme = isTLS ? .https : .http
        case .h2: self.scheme = .http2
        case .socks5: self.scheme = .socks5h
        }
    }

    /// Where it is, with its credentials.
    package func address(port: Int) -> ProxyAddress {
        let parts = self.credentials?.split(separator: ":", maxSplits: 1).map(String.init)
        return ProxyAddress(
            self.scheme, host: "localhost", port: port, user: parts?.first, password: parts?.last)
    }
}
