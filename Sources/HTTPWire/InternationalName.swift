/// Internationalised names: U-labels become A-labels (RFC 5891), by a subset of the mapping of UTS 46.
///
/// Mapped: case, full-width ASCII, the ideographic dots, and composition (NFC) of the Latin, Greek and
/// Cyrillic blocks. What is not a letter, mark or digit afterwards is refused rather than guessed at; such a
/// name can still be written as A-labels.
enum InternationalName {
    /// - Parameter whole: the text to show in an error.
    static func toASCII(
        _ text: Substring, within whole: some StringProtocol
    ) throws(AuthorityError) -> String {
        let mapped = String(String.UnicodeScalarView(text.unicodeScalars.map(mapWidth))).lowercased()
        let scalars = composed(mapped)
        var labels: [String] = []
        for label in scalars.split(separator: ".", omittingEmptySubsequences: false) {
            if label.allSatisfy(\.isASCII) {
                labels.append(String(String.UnicodeScalarView(label)))
                continue
            }
            guard isValidULabel(label), let encoded = Punycode.encode(label) else {
                throw AuthorityError(.invalidIDN, whole)
            }
            labels.append("xn--" + encoded)
        }
        return labels.joined(separator: ".")
    }

    /// Whether an `xn--` label decodes, to something that needed encoding, in the one way it encodes.
    static func isValidALabel(_ label: ArraySlice<UInt8>) -> Bool {
        let encoded = label.dropFirst(4)
        guard let scalars = Punycode.decode(encoded), scalars.contains(where: { !$0.isASCII }),
            !scalars.contains(where: isInvisible)
        else { return false }
        return Punycode.encode(scalars).map { encoded.elementsEqual($0.utf8) } ?? false
    }

    private static func isValidULabel(_ label: some BidirectionalCollection<Unicode.Scalar>) -> Bool {
        guard let first = label.first, !isMark(first), first != "-", label.last != "-" else { return false }
        return label.allSatisfy { $0.isASCII || isLetterMarkOrDigit($0) }
    }

    /// Registries have emoji and joiners in A-labels; controls, blanks and surrogates nobody has.
    private static func isInvisible(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.properties.generalCategory {
        case .control, .spaceSeparator, .lineSeparator, .paragraphSeparator, .surrogate, .privateUse: true
        default: false
        }
    }

    private static func isMark(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.properties.generalCategory {
        case .nonspacingMark, .spacingMark, .enclosingMark: true
        default: false
        }
    }

    private static func isLetterMarkOrDigit(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.properties.generalCategory {
        case .lowercaseLetter, .otherLetter, .modifierLetter, .nonspacingMark, .spacingMark, .decimalNumber:
            true
        default: contextual.contains(scalar)
        }
    }

    /// RFC 5892 Appendix A: punctuation that some languages spell with. ZWJ and ZWNJ are not among them
    /// here: invisible characters make two names look like one.
    private static let contextual: Set<Unicode.Scalar> = [
        "\u{b7}", "\u{375}", "\u{5f3}", "\u{5f4}", "\u{30fb}", "\u{3007}",
    ]

    private static func mapWidth(_ scalar: Unicode.Scalar) -> Unicode.Scalar {
        switch scalar.value {
        case 0x3002, 0xff61: "."
        case 0xff01...0xff5e: Unicode.Scalar(scalar.value - 0xfee0) ?? scalar
        default: scalar
        }
    }

    /// Canonical composition. Swift's `Character`s are equal when canonically equivalent, so a dictionary of
    /// the precomposed letters finds the one for a base and its marks.
    private static func composed(_ text: String) -> [Unicode.Scalar] {
        text.flatMap { character -> [Unicode.Scalar] in
            let scalars = Array(character.unicodeScalars)
            guard scalars.count > 1 || scalars.contains(where: { !$0.isASCII }) else { return scalars }
            return precomposed[character].map { [$0] } ?? scalars
        }
    }

    private static let precomposed: [Character: Unicode.Scalar] = {
        // Hangul last: its syllables are composed by rule, and jamo sequences equal them as Characters.
        let blocks: [ClosedRange<UInt32>] = [
            0xc0...0x24f, 0x386...0x3ce, 0x400...0x4ff, 0x1e00...0x1fff, 0xac00...0xd7a3,
        ]
        let letters = blocks.joined().compactMap { Unicode.Scalar($0) }
        return Dictionary(letters.map { (Character($0), $0) }, uniquingKeysWith: { first, _ in first })
    }()
}
