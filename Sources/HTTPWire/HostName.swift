/// Normalising and checking DNS names.
enum HostName {
    /// The name in lower case, without one trailing dot, each label an A-label.
    ///
    /// - Parameter whole: the text to show in an error.
    static func normalized(
        _ text: Substring, within whole: some StringProtocol
    ) throws(AuthorityError) -> String {
        // Each scalar yields at least one octet of the result, so a longer text cannot fit: no work on it.
        guard text.unicodeScalars.prefix(1025).count <= 1024 else {
            throw AuthorityError(.nameTooLong, whole)
        }
        let name: String
        if text.utf8.allSatisfy({ $0 < 0x80 }) {
            name = text.lowercased()
        } else {
            name = try InternationalName.toASCII(text, within: whole)
        }
        let bytes = Array(name.utf8.last == UInt8(ascii: ".") ? name.utf8.dropLast() : name.utf8[...])
        if bytes.isEmpty { throw AuthorityError(name.isEmpty ? .emptyHost : .invalidLabel, whole) }
        if let wrong = bytes.first(where: { !isNameCharacter($0) }) {
            throw AuthorityError(
                wrong == UInt8(ascii: "[") || wrong == UInt8(ascii: "]")
                    ? .invalidBrackets : .forbiddenCharacter,
                whole)
        }
        if bytes.count > 253 { throw AuthorityError(.nameTooLong, whole) }
        for label in bytes.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false) {
            guard (1...63).contains(label.count), label.first != UInt8(ascii: "-") else {
                throw AuthorityError(.invalidLabel, whole)
            }
            if label.starts(with: "xn--".utf8), !InternationalName.isValidALabel(label) {
                throw AuthorityError(.invalidIDN, whole)
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// Whether `inet_aton` and its kin could take the name for an address (WHATWG URL "ends in a number").
    static func endsInNumber(_ name: String) -> Bool {
        let last = name.utf8.split(separator: UInt8(ascii: ".")).last ?? name.utf8[...]
        if last.allSatisfy(ASCII.isDigit) { return true }
        return last.starts(with: "0x".utf8) && last.dropFirst(2).allSatisfy { ASCII.hexValue($0) != nil }
    }

    /// Underscores are no letters of a host name (RFC 1123), but real hosts have them.
    private static func isNameCharacter(_ byte: UInt8) -> Bool {
        ASCII.isDigit(byte) || ASCII.isLetter(byte) || byte == UInt8(ascii: "-") || byte == UInt8(ascii: ".")
            || byte == UInt8(ascii: "_")
    }
}
