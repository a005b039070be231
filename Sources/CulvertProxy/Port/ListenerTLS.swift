/// TLS of the proxy's own listeners, spoken with every client that begins with a ClientHello.
public struct ListenerTLS: Sendable, Hashable {
    /// PEM file with the proxy's certificate and its intermediates.
    public var certificateChainFile: String
    /// PEM file with the unencrypted private key.
    public var privateKeyFile: String
    /// PEM file with the authorities of client certificates; nil asks for none.
    ///
    /// A client with a certificate of theirs is a user, by the common name of its subject, and needs no password. One
    /// without is let in only where ``ProxyConfiguration/users`` know it.
    public var clientAuthoritiesFile: String?
    /// Whether clients may choose HTTP/2 by ALPN. Browsers then carry all their tunnels on one connection.
    public var allowsHTTP2 = true

    /// TLS from two PEM files, with client certificates of the authorities in a third.
    public init(certificateChainFile: String, privateKeyFile: String, clientAuthoritiesFile: String? = nil) {
        self.certificateChainFile = certificateChainFile
        self.privateKeyFile = privateKeyFile
        self.clientAuthoritiesFile = clientAuthoritiesFile
    }
}
