import HTTPWire
import NIOSSL
import ProxyRoutes
import Synchronization

/// TLS contexts by their options: loading the system's roots takes milliseconds, so it happens once.
final class TLSContexts: Sendable {
    private let contexts = Mutex<[Key: NIOSSLContext]>([:])

    private struct Key: Hashable {
        var options: TLSOptions
        var checksAddress: Bool
    }

    /// Everything one TLS handshake needs. Reads files: not to be called on an event loop for the first time.
    func prepare(_ options: TLSOptions, for host: Authority.Host) throws(TunnelError) -> PreparedTLS {
        switch host {
        case .name(let name):
            PreparedTLS(
                context: try self.context(Key(options: options, checksAddress: false)),
                serverName: options.serverName ?? name, address: nil, pins: options.pins,
                isUnverified: options.isUnverified)
        case .address where options.serverName != nil:
            PreparedTLS(
                context: try self.context(Key(options: options, checksAddress: false)),
                serverName: options.serverName, address: nil, pins: options.pins,
                isUnverified: options.isUnverified)
        case .address(let address):
            PreparedTLS(
                context: try self.context(Key(options: options, checksAddress: true)),
                serverName: nil, address: address, pins: options.pins, isUnverified: options.isUnverified)
        }
    }

    private func context(_ key: Key) throws(TunnelError) -> NIOSSLContext {
        if let known = self.contexts.withLock({ $0[key] }) { return known }
        let context = try Self.make(key)
        self.contexts.withLock { $0[key] = context }
        return context
    }

    private static func make(_ key: Key) throws(TunnelError) -> NIOSSLContext {
        var configuration = TLSConfiguration.makeClientConfiguration()
        // NIOSSL checks a certificate without a name against the socket's address, which behind a proxy is the
        // proxy's. `TLSHandshakeHandler` compares the target's address instead.
        if key.checksAddress { configuration.certificateVerification = .noHostnameVerification }
        if key.options.isUnverified { configuration.certificateVerification = .none }
        switch key.options.trustRoots {
        case .system: break
        case .file(let path): configuration.trustRoots = .file(path)
        case .pem(let text):
            do {
                configuration.trustRoots = .certificates(try NIOSSLCertificate.fromPEMBytes(Array(text.utf8)))
            } catch {
                throw .configuration("the authorities cannot be read as PEM: \(error)", underlying: error)
            }
        }
        if let identity = key.options.identity {
            configuration.certificateChain = try PEMFile.load("certificate", identity.certificateChainFile) {
                try NIOSSLCertificate.fromPEMFile($0).map { .certificate($0) }
            }
            configuration.privateKey = try PEMFile.load("private key", identity.privateKeyFile) {
                .privateKey(try NIOSSLPrivateKey(file: $0, format: .pem))
            }
        }
        do {
            return try NIOSSLContext(configuration: configuration)
        } catch {
            let file =
                if case .file(let path) = key.options.trustRoots { " (authorities: \(path))" } else { "" }
            throw .configuration("the TLS settings cannot be used\(file): \(error)", underlying: error)
        }
    }
}

/// A context with the name or address that the certificate must be for.
package struct PreparedTLS: Sendable {
    let context: NIOSSLContext
    /// The SNI name; nil for an IP literal, which must never be sent as one (RFC 6066 §3).
    let serverName: String?
    /// The address to look for among the certificate's alternative names, when there is no name.
    let address: IPAddress?
    /// The public keys of which the certificate must have one, unless there are none.
    let pins: Set<PublicKeyPin>
    /// Whoever the certificate is for and from.
    let isUnverified: Bool
}
