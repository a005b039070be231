import CulvertTunnel
import Foundation
import ProxyAuth

/// The proxy as a service of Kerberos, `HTTP/host`: clients with a ticket for it are let in by Negotiate (RFC 4559), as
/// `user@REALM`.
public struct KerberosService: Sendable {
    /// Why the proxy cannot be one.
    public struct Unavailable: Error, Hashable, Sendable, CustomStringConvertible {
        /// What is missing.
        public let description: String
    }

    /// - Parameter keyTable: path of the file with the service's keys, for all of this process; nil is the system's own,
    ///   `/etc/krb5.keytab` or `KRB5_KTNAME`.
    /// - Throws: ``Unavailable`` where there is no Kerberos library (`libgssapi_krb5`), or no such file.
    public init(keyTable: String?) throws(Unavailable) {
        if let keyTable, !FileManager.default.isReadableFile(atPath: keyTable) {
            throw Unavailable(description: "\(keyTable) cannot be read")
        }
        do {
            _ = try NegotiateAcceptor()
            if let keyTable { try NegotiateAcceptor.use(keyTable: keyTable) }
        } catch {
            throw Unavailable(description: error.description)
        }
    }
}
