import CGSSAPI
package import ProxyAuth

/// The proxy's side of one security context of Negotiate (RFC 4559): one connection's.
///
/// `@unchecked Sendable`: whoever owns it hands over one token at a time, and waits for the outcome.
package final class NegotiateAcceptor: @unchecked Sendable {
    package enum Outcome: Sendable {
        /// The client's principal, `user@REALM`.
        case user(String)
        /// Kerberos wants another round: this goes into the 407, and the connection stays.
        case challenge([UInt8])
        case failed(NegotiateFailure)
    }

    private let library: GSSAPI
    private var context: UnsafeMutableRawPointer?

    /// - Throws: ``NegotiateFailure`` where there is no Kerberos library.
    package init() throws(NegotiateFailure) {
        guard let library = GSSAPI.system else { throw NegotiateFailure(GSSAPI.absence) }
        self.library = library
    }

    deinit {
        var minor: UInt32 = 0
        _ = self.library.deleteSecContext(&minor, &self.context, nil)
    }

    /// Makes all acceptors of this process take their keys from a file, as `ktutil` and `kadmin` write it.
    ///
    /// - Throws: ``NegotiateFailure`` where the library is absent or cannot do that.
    package static func use(keyTable path: String) throws(NegotiateFailure) {
        guard let library = GSSAPI.system else { throw NegotiateFailure(GSSAPI.absence) }
        guard let register = library.registerAcceptorIdentity, register(path) == 0 else {
            throw NegotiateFailure(
                "this Kerberos library takes no key table by name; set KRB5_KTNAME instead")
        }
    }

    /// Takes the client's next token. Reads the key table and may compute for a while, so never on an event loop.
    package func accept(_ token: [UInt8]) -> Outcome {
        var minor: UInt32 = 0
        var source: UnsafeMutableRawPointer?
        var output = culvert_gss_buffer()
        let status = GSSAPI.withBuffer(token) { input in
            self.library.acceptSecContext(
                &minor, &self.context, nil, input, nil, &source, nil, &output, nil, nil, nil)
        }
        defer {
            var unused: UInt32 = 0
            _ = self.library.releaseBuffer(&unused, &output)
            _ = self.library.releaseName(&unused, &source)
        }
        guard status & GSSAPI.errorMask == 0 else {
            return .failed(NegotiateFailure(self.library.text(major: status, minor: minor)))
        }
        guard status & Self.continueNeeded == 0 else { return .challenge([UInt8](output)) }
        return self.name(source)
    }

    private func name(_ source: UnsafeMutableRawPointer?) -> Outcome {
        var minor: UInt32 = 0
        var text = culvert_gss_buffer()
        let status = self.library.displayName(&minor, source, &text, nil)
        guard status & GSSAPI.errorMask == 0 else {
            return .failed(NegotiateFailure(self.library.text(major: status, minor: minor)))
        }
        defer { _ = self.library.releaseBuffer(&minor, &text) }
        return .user(String(decoding: [UInt8](text), as: UTF8.self))
    }

    private static let continueNeeded: UInt32 = 1
}
