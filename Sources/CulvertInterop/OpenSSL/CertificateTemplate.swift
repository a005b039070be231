internal import COpenSSL

/// What a certificate is to say, before it is signed.
package struct CertificateTemplate: Sendable {
    /// What the holder may do.
    package enum Role: Sendable, Hashable {
        case authority
        /// With `serverAuth` and `clientAuth`, both by default.
        case leaf(server: Bool = true, client: Bool = true)
    }

    package var commonName: String
    package var role: Role
    package var dnsNames: [String] = []
    /// IPv4 or IPv6, without brackets.
    package var addresses: [String] = []
    /// Counted from now. An hour back by default: the clocks of two machines, or a container's, differ.
    package var validFrom: Duration = .seconds(-3600)
    /// Counted from now. A week by default: longer than any run.
    package var validUntil: Duration = .seconds(7 * 86400)

    package init(commonName: String, role: Role = .leaf(), dnsNames: [String] = [], addresses: [String] = [])
    {
        self.commonName = commonName
        self.role = role
        self.dnsNames = dnsNames
        self.addresses = addresses
    }
}

extension CertificateTemplate {
    /// The certificate for `key`, signed by an issuer, or by itself when there is none.
    func sign(
        _ key: PrivateKey, issuer: (certificate: Certificate, key: PrivateKey)?
    ) throws(OpenSSLError) -> Certificate {
        let certificate = Certificate(owning: try made("making a certificate") { X509_new() })
        let x509 = certificate.pointer
        try check("setting a version") { X509_set_version(x509, Int(X509_VERSION_3)) }
        // RFC 5280 §4.1.2.2: positive, and never used twice by one authority.
        let serial = UInt64.random(in: 1...UInt64(Int64.max))
        try check("setting a serial number") {
            ASN1_INTEGER_set_uint64(X509_get_serialNumber(x509), serial)
        }
        _ = try made("setting a validity") {
            X509_gmtime_adj(X509_getm_notBefore(x509), Int(validFrom.components.seconds)).map(
                OpaquePointer.init)
        }
        _ = try made("setting a validity") {
            X509_gmtime_adj(X509_getm_notAfter(x509), Int(validUntil.components.seconds)).map(
                OpaquePointer.init)
        }
        let subject = X509_get_subject_name(x509)
        try check("setting a name") {
            X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_UTF8, commonName, -1, -1, 0)
        }
        let issuerName = issuer.map { X509_get_subject_name($0.certificate.pointer) } ?? subject
        try check("setting an issuer") { X509_set_issuer_name(x509, issuerName) }
        try check("setting a public key") { X509_set_pubkey(x509, key.pointer) }
        for (kind, value) in try extensions() {
            try add(kind, value, to: x509, issuer: issuer?.certificate.pointer ?? x509)
        }
        try check("signing") { X509_sign(x509, (issuer?.key ?? key).pointer, EVP_sha256()) }
        return certificate
    }

    /// In the text form of OpenSSL's configuration files.
    private func extensions() throws(OpenSSLError) -> [(Int32, String)] {
        // The authority's key identifier is taken from the issuer, which is the certificate itself for a root: the
        // subject's comes first.
        var list = [(NID_subject_key_identifier, "hash"), (NID_authority_key_identifier, "keyid:always")]
        switch role {
        case .authority:
            list += [
                (NID_basic_constraints, "critical,CA:TRUE"),
                (NID_key_usage, "critical,keyCertSign,cRLSign"),
            ]
        case .leaf(let server, let client):
            list += [
                (NID_basic_constraints, "critical,CA:FALSE"),
                (NID_key_usage, "critical,digitalSignature"),
            ]
            let usages = (server ? ["serverAuth"] : []) + (client ? ["clientAuth"] : [])
            if !usages.isEmpty { list.append((NID_ext_key_usage, usages.joined(separator: ","))) }
        }
        let names = dnsNames.map { "DNS:\($0)" } + addresses.map { "IP:\($0)" }
        // A comma would start another entry.
        guard names.allSatisfy({ $0.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F && $0 != UInt8(ascii: ",") } })
        else { throw OpenSSLError("naming a certificate's host") }
        if !names.isEmpty { list.append((NID_subject_alt_name, names.joined(separator: ","))) }
        return list
    }

    private func add(
        _ kind: Int32, _ value: String, to x509: OpaquePointer, issuer: OpaquePointer
    ) throws(OpenSSLError) {
        var context = X509V3_CTX()
        culvert_ssl_without_configuration(&context)
        X509V3_set_ctx(&context, issuer, x509, nil, nil, 0)
        let made = try made("writing the extension \(value)") {
            X509V3_EXT_conf_nid(nil, &context, kind, value)
        }
        let addition = OwnedHandle(made) { X509_EXTENSION_free($0) }
        try check("adding an extension") { X509_add_ext(x509, addition.pointer, -1) }
    }
}
