import HTTPWire

/// The Basic scheme (RFC 7617), for both sides.
package enum BasicScheme {
    /// The field value that carries the credentials, or nil when the user name holds a colon or either part a
    /// control character: RFC 7617 §2 has no way to send those.
    package static func authorization(for credentials: ProxyCredentials) -> String? {
        let password = credentials.password.reveal()
        guard !credentials.user.utf8.contains(UInt8(ascii: ":")),
            !(credentials.user + password).unicodeScalars.contains(where: {
                $0.value < 0x20 || $0.value == 0x7F
            })
        else { return nil }
        return "Basic " + Base64.encode(Array("\(credentials.user):\(password)".utf8))
    }

    /// The credentials in a field, or nil when it is no well-formed Basic authorization.
    package static func credentials(in field: AuthorizationField) -> ProxyCredentials? {
        guard field.scheme == "basic", let bytes = Base64.decode(withoutTrailingSpaces(field.credentials)),
            let text = String(validating: bytes, as: UTF8.self),
            let colon = text.utf8.firstIndex(of: UInt8(ascii: ":"))
        else { return nil }
        return ProxyCredentials(
            user: String(text[..<colon]), password: Secret(String(text[text.utf8.index(after: colon)...])))
    }

    private static func withoutTrailingSpaces(_ text: Substring) -> Substring {
        var rest = text
        while rest.last == " " { rest.removeLast() }
        return rest
    }
}
