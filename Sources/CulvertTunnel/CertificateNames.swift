import HTTPWire
import NIOSSL

/// Whom a certificate is for, by its alternative names (RFC 6125, RFC 9525).
///
/// NIOSSL also takes a certificate for the address that the socket is connected to. Behind a proxy that is the proxy's,
/// and anyone can have a certificate for his own address: a name has to be found by name.
struct CertificateNames {
    private let certificate: NIOSSLCertificate

    init(_ certificate: NIOSSLCertificate) {
        self.certificate = certificate
    }

    func contain(_ address: IPAddress) -> Bool {
        self.certificate._subjectAlternativeNames().contains { name in
            name.nameType == .ipAddress && IPAddress(bytes: Array(name.contents)) == address
        }
    }

    func contain(_ host: String) -> Bool {
        self.certificate._subjectAlternativeNames().contains { name in
            name.nameType == .dnsName
                && Self.matches(pattern: String(decoding: name.contents, as: UTF8.self), host: host)
        }
    }

    /// A wildcard stands for one whole label, the leftmost (RFC 9525 §6.3).
    static func matches(pattern: String, host: String) -> Bool {
        let (pattern, host) = (Self.normalised(pattern), Self.normalised(host))
        guard pattern.hasPrefix("*.") else { return pattern == host && !host.isEmpty }
        guard let dot = host.firstIndex(of: "."), dot != host.startIndex else { return false }
        let parent = pattern.dropFirst(2)
        return host[host.index(after: dot)...] == parent && parent.contains(".")
    }

    private static func normalised(_ name: String) -> String {
        let lower = name.lowercased()
        return lower.hasSuffix(".") ? String(lower.dropLast()) : lower
    }
}
