/// How to speak TLS with a target or a proxy: whom to trust and who to be.
public struct TLSOptions: Sendable, Hashable {
    /// The authorities a certificate must come from.
    public enum TrustRoots: Sendable, Hashable {
        /// The system's.
        case system
        /// Those in a PEM file, and no others.
        case file(String)
        /// Those in a text in PEM, and no others.
        case pem(String)
    }

    /// A client certificate with its key.
    public struct Identity: Sendable, Hashable {
        /// PEM file with the certificate and its intermediates.
        public var certificateChainFile: String
        /// PEM file with the unencrypted private key.
        public var privateKeyFile: String

        /// An identity from two PEM files.
        public init(certificateChainFile: String, privateKeyFile: String) {
            self.certificateChainFile = certificateChainFile
            self.privateKeyFile = privateKeyFile
        }
    }

    /// The authorities a certificate must come from.
    public var trustRoots: TrustRoots = .system
    /// Shown when the peer asks for a client certificate.
    public var identity: Identity?
    /// Public keys of which the peer's own certificate must have one, on top of coming from a trusted authority;
    /// empty for any. Not its issuers': those sign for others too.
    public var pins: Set<PublicKeyPin> = []
    /// Takes any certificate: to look at one that was refused, and never to send anything.
    package var isUnverified = false
    /// Sent as SNI and checked against the certificate in place of the host; nil means the host itself.
    public var serverName: String?

    /// The defaults, changed by the closure.
    public init(_ configure: (inout TLSOptions) -> Void = { _ in }) {
        configure(&self)
    }
}
