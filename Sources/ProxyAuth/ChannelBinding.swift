import Crypto

/// What binds an authentication to the TLS connection it runs in, so that nobody in the middle can pass it on
/// (`tls-server-end-point`, RFC 5929 §4).
package struct ChannelBinding: Sendable, Hashable {
    /// As GSSAPI takes it.
    package let applicationData: [UInt8]

    /// - Parameter certificate: the server's, in DER.
    package init(certificate: [UInt8]) {
        self.applicationData =
            Array("tls-server-end-point:".utf8)
            + Self.hash(certificate, by: CertificateSignature.hash(certificate))
    }

    /// MD5 over the structure that GSSAPI has for it (RFC 4121 §4.1.1.2): no addresses, then the data.
    var ntlmHash: [UInt8] {
        let structure =
            [UInt8](repeating: 0, count: 16)
            + LittleEndian.bytes(UInt32(truncatingIfNeeded: self.applicationData.count))
            + self.applicationData
        return Array(Insecure.MD5.hash(data: structure))
    }

    private static func hash(_ bytes: [UInt8], by function: CertificateSignature.Hash) -> [UInt8] {
        switch function {
        case .sha256: Array(SHA256.hash(data: bytes))
        case .sha384: Array(SHA384.hash(data: bytes))
        case .sha512: Array(SHA512.hash(data: bytes))
        }
    }
}

/// Which hash a certificate was signed with: its binding uses the same, but never one weaker than SHA-256.
enum CertificateSignature {
    enum Hash: Sendable, Hashable {
        case sha256
        case sha384
        case sha512
    }

    /// By the object identifier of the signature's algorithm, in DER.
    private static let algorithms: [[UInt8]: Hash] = [
        [0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x01, 0x0C]: .sha384,
        [0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x01, 0x0D]: .sha512,
        [0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x04, 0x03, 0x03]: .sha384,
        [0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x04, 0x03, 0x04]: .sha512,
    ]

    /// Certificate ::= SEQUENCE { tbsCertificate, signatureAlgorithm SEQUENCE { OBJECT IDENTIFIER, … }, … }
    static func hash(_ certificate: [UInt8]) -> Hash {
        var outer = certificate[...]
        guard var inner = DER.element(0x30, from: &outer), DER.element(0x30, from: &inner) != nil,
            var algorithm = DER.element(0x30, from: &inner), let name = DER.element(0x06, from: &algorithm)
        else { return .sha256 }
        return self.algorithms[Array(name)] ?? .sha256
    }
}

/// The distinguished encoding of ASN.1, as far as finding an element.
enum DER {
    /// Takes an element with this tag off the front; its content, or nil when it is another one or is cut off.
    static func element(_ tag: UInt8, from bytes: inout ArraySlice<UInt8>) -> ArraySlice<UInt8>? {
        guard bytes.count >= 2, bytes.first == tag else { return nil }
        var rest = bytes.dropFirst()
        guard let length = self.length(&rest), length <= rest.count else { return nil }
        bytes = rest.dropFirst(length)
        return rest.prefix(length)
    }

    private static func length(_ bytes: inout ArraySlice<UInt8>) -> Int? {
        guard let first = bytes.popFirst() else { return nil }
        if first < 0x80 { return Int(first) }
        let count = Int(first & 0x7F)
        // Four octets are 4 GiB.
        guard (1...4).contains(count), bytes.count >= count else { return nil }
        var length = 0
        for _ in 0..<count { length = length << 8 | Int(bytes.removeFirst()) }
        return length
    }
}
