/// The proxy a transfer of libcurl goes through.
struct CurlProxy: Sendable, Hashable {
    /// What is spoken with it; the raw values are libcurl's `CURLPROXY_*`.
    enum Kind: Int, Sendable, Hashable {
        case http = 0
        case https = 2
        /// HTTP/2 over TLS, since 8.1.0: newer than the headers of some systems.
        case https2 = 3
        case socks4 = 4
        case socks5 = 5
        case socks4a = 6
        case socks5h = 7

        /// A TLS handshake with the proxy comes before everything else.
        var isTLS: Bool { self == .https || self == .https2 }
        var isSOCKS: Bool { self.rawValue >= 4 }

        /// The scheme by which libcurl knows it in a URL.
        var scheme: String {
            switch self {
            case .http: "http"
            case .https, .https2: "https"
            case .socks4: "socks4"
            case .socks4a: "socks4a"
            case .socks5: "socks5"
            case .socks5h: "socks5h"
            }
        }
    }

    /// The schemes libcurl may answer a challenge with; the bits are its `CURLAUTH_*`.
    struct Authentication: OptionSet, Sendable, Hashable {
        let rawValue: Int

        static let basic = Self(rawValue: 1 << 0)
        static let digest = Self(rawValue: 1 << 1)
        static let negotiate = Self(rawValue: 1 << 2)
        static let ntlm = Self(rawValue: 1 << 3)
        /// It asks without credentials first, and takes the best of what is offered.
        static let any: Self = [.basic, .digest, .negotiate, .ntlm]
    }

    var kind: Kind
    var host: String
    var port: Int
    var user: String?
    var password: String?
    var authentication: Authentication = .any

    init(_ kind: Kind, host: String, port: Int, user: String? = nil, password: String? = nil) {
        self.kind = kind
        self.host = host
        self.port = port
        self.user = user
        self.password = password
    }

    init(_ address: ProxyAddress) {
        let kind: Kind =
            switch address.scheme {
            case .http: .http
            case .https: .https
            case .http2: .https2
            case .socks5h: .socks5h
            }
        self.init(
            kind, host: address.host, port: address.port, user: address.user, password: address.password)
        // In HTTP/2 libcurl answers no 407: what it is to send it must send at once.
        if kind == .https2 { self.authentication = .basic }
    }

    /// `http://127.0.0.1:3128`, with an IPv6 address in brackets.
    var url: String {
        let host = self.host.contains(":") ? "[\(self.host)]" : self.host
        return "\(self.kind.scheme)://\(host):\(self.port)"
    }

    /// For the one place where libcurl takes credentials in no other way.
    var urlWithCredentials: String {
        guard let user = self.user else { return self.url }
        let userinfo = "\(Self.encoded(user)):\(Self.encoded(self.password ?? ""))@"
        return self.url.replacing("://", with: "://" + userinfo, maxReplacements: 1)
    }

    /// Percent-encodes all but letters and digits.
    private static func encoded(_ text: String) -> String {
        text.utf8.map { byte in
            let character = Character(UnicodeScalar(byte))
            if character.isASCII, character.isLetter || character.isNumber { return String(character) }
            let hex = String(byte, radix: 16, uppercase: true)
            return hex.count == 1 ? "%0" + hex : "%" + hex
        }.joined()
    }
}

/// Neither a log line nor `dump` shows the password.
extension CurlProxy: CustomStringConvertible, CustomReflectable {
    var description: String { self.url }
    var customMirror: Mirror { Mirror(self, children: ["url": self.url]) }
}
