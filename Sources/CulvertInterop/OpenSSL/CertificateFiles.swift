internal import Foundation
internal import NIOCore

/// The certificates of a run as PEM files, for servers and clients that read such.
///
/// The keys of servers are readable by everyone (0644): daemons read them as `nobody`, and they are worth nothing
/// after the run.
package struct CertificateFiles: Sendable, Hashable {
    /// The authority to trust.
    package let authority: String
    /// For localhost, 127.0.0.1 and ::1.
    package let leaf: Pair
    /// An authority nobody uses.
    package let otherAuthority: String
    /// Valid, but for example.org.
    package let wrongName: Pair
    /// For localhost, no longer valid.
    package let expired: Pair

    /// A certificate's file and that of its key.
    package struct Pair: Sendable, Hashable {
        package let certificate: String
        package let key: String

        /// Writes `NAME.pem` and `NAME.key`, over what is there.
        package init(_ identity: ServerIdentity, name: String, directory: String) throws {
            certificate = try CertificateFiles.write(identity.certificate.pem(), "\(name).pem", directory)
            key = try CertificateFiles.write(identity.key.pem(), "\(name).key", directory)
        }
    }

    /// Writes `ca.pem`, `leaf.pem`, `leaf.key` and so on into a directory that exists, over what is there.
    ///
    /// - Throws: `OpenSSLError`, or Foundation's error when a file cannot be written.
    package init(_ authority: CertificateAuthority, directory: String) throws {
        self.authority = try Self.write(authority.certificate.pem(), "ca.pem", directory)
        leaf = try Pair(authority.leaf, name: "leaf", directory: directory)
        otherAuthority = try Self.write(authority.other.pem(), "other-ca.pem", directory)
        wrongName = try Pair(authority.wrongName, name: "wrong-name", directory: directory)
        expired = try Pair(authority.expired, name: "expired", directory: directory)
    }

    private static func write(_ pem: ByteBuffer, _ name: String, _ directory: String) throws -> String {
        let file = URL(fileURLWithPath: directory, isDirectory: true).appendingPathComponent(name)
        try Data(pem.readableBytesView).write(to: file)
        try FileManager.default.setAttributes([.posixPermissions: 0o644], ofItemAtPath: file.path)
        return file.path
    }
}
