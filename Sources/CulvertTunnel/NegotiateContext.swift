import CGSSAPI
import ProxyAuth

/// One security context of Negotiate (RFC 4559 over SPNEGO, RFC 4178): one connection's.
///
/// `@unchecked Sendable`: whoever owns it asks for one token at a time, and waits for it.
final class NegotiateContext: @unchecked Sendable {
    private let library: GSSAPI
    private let host: String
    private let bindings: ChannelBinding?
    private var context: UnsafeMutableRawPointer?

    /// - Parameter host: of the proxy as it was configured; the service is `HTTP@host`.
    init?(host: String, bindings: ChannelBinding?) {
        guard let library = GSSAPI.system else { return nil }
        self.library = library
        self.host = host
        self.bindings = bindings
    }

    deinit {
        var minor: UInt32 = 0
        _ = self.library.deleteSecContext(&minor, &self.context, nil)
    }

    /// The next token for the proxy. May ask a ticket server, so never on an event loop.
    func token(answering input: [UInt8]?) -> Result<[UInt8], NegotiateFailure> {
        var minor: UInt32 = 0
        var name: UnsafeMutableRawPointer?
        let imported = GSSAPI.withBuffer(Array("HTTP@\(self.host)".utf8)) { buffer in
            Self.withOID(Self.hostBasedService) { self.library.importName(&minor, buffer, $0, &name) }
        }
        guard imported == 0 else { return .failure(self.failure(imported, minor)) }
        defer { _ = self.library.releaseName(&minor, &name) }
        var output = culvert_gss_buffer()
        let status = self.step(&minor, name, input, &output)
        defer { _ = self.library.releaseBuffer(&minor, &output) }
        guard status & GSSAPI.errorMask == 0 else { return .failure(self.failure(status, minor)) }
        let token = [UInt8](output)
        if token.isEmpty {
            return .failure(NegotiateFailure("Kerberos has nothing more to say, and the proxy asks on"))
        }
        return .success(token)
    }

    private func step(
        _ minor: inout UInt32, _ name: UnsafeMutableRawPointer?, _ input: [UInt8]?,
        _ output: inout culvert_gss_buffer
    ) -> UInt32 {
        GSSAPI.withBuffer(self.bindings?.applicationData ?? []) { data in
            var bindings = culvert_gss_channel_bindings()
            bindings.application_data = data.pointee
            return withUnsafeMutablePointer(to: &bindings) { bindings in
                GSSAPI.withBuffer(input ?? []) { input in
                    Self.withOID(Self.spnego) { mechanism in
                        self.library.initSecContext(
                            &minor, nil, &self.context, name, mechanism, Self.flags, 0,
                            self.bindings == nil ? nil : bindings, input, nil, &output, nil, nil)
                    }
                }
            }
        }
    }

    private func failure(_ major: UInt32, _ minor: UInt32) -> NegotiateFailure {
        NegotiateFailure(
            "no Kerberos ticket for HTTP/\(self.host): \(self.library.text(major: major, minor: minor))")
    }

    // MARK: Memory of C

    /// Mutual authentication and replay detection.
    private static let flags: UInt32 = 2 | 4
    /// 1.3.6.1.5.5.2
    private static let spnego: [UInt8] = [0x2B, 0x06, 0x01, 0x05, 0x05, 0x02]
    /// 1.2.840.113554.1.2.1.4
    private static let hostBasedService: [UInt8] = [
        0x2A, 0x86, 0x48, 0x86, 0xF7, 0x12, 0x01, 0x02, 0x01, 0x04,
    ]

    private static func withOID<Result>(
        _ bytes: [UInt8], _ body: (UnsafeMutablePointer<culvert_gss_oid>) -> Result
    ) -> Result {
        var bytes = bytes
        return bytes.withUnsafeMutableBytes { memory in
            var identifier = culvert_gss_oid(length: UInt32(memory.count), elements: memory.baseAddress)
            return body(&identifier)
        }
    }
}
