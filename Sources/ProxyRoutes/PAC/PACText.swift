/// The text of a script from the bytes of its file, as Chromium decodes it.
package enum PACText {
    /// Chromium's limit; the largest scripts of large companies have some hundred kilobytes.
    package static let maxBytes = 1 << 20

    /// - Parameter charset: that of the answer's `Content-Type`; nil looks at the byte order mark, and takes
    ///   ISO 8859-1 where there is none.
    /// - Returns: nil for a charset that is not known. What is no text of the charset becomes U+FFFD.
    package static func decode(_ bytes: some Collection<UInt8>, charset: String?) -> String? {
        if let charset { return self.decode(bytes, named: charset.lowercased()) }
        if bytes.starts(with: [0xEF, 0xBB, 0xBF]) { return self.utf8(bytes) }
        if bytes.starts(with: [0xFE, 0xFF]) || bytes.starts(with: [0xFF, 0xFE]) {
            return self.utf16(bytes, isBig: true)
        }
        return self.latin1(bytes)
    }

    private static func decode(_ bytes: some Collection<UInt8>, named charset: String) -> String? {
        switch charset {
        case "utf-8", "utf8", "us-ascii", "ascii": self.utf8(bytes)
        case "iso-8859-1", "latin1", "windows-1252", "cp1252": self.latin1(bytes)
        case "utf-16", "utf-16be": self.utf16(bytes, isBig: true)
        case "utf-16le": self.utf16(bytes, isBig: false)
        default: nil
        }
    }

    private static func utf8(_ bytes: some Collection<UInt8>) -> String {
        let hasMark = bytes.starts(with: [0xEF, 0xBB, 0xBF])
        return String(decoding: Array(bytes.dropFirst(hasMark ? 3 : 0)), as: UTF8.self)
    }

    private static func latin1(_ bytes: some Collection<UInt8>) -> String {
        String(String.UnicodeScalarView(bytes.map { Unicode.Scalar($0) }))
    }

    /// - Parameter isBig: the order of the bytes, where no mark tells it.
    private static func utf16(_ bytes: some Collection<UInt8>, isBig: Bool) -> String {
        var rest = Array(bytes)[...]
        var isBig = isBig
        if rest.starts(with: [0xFE, 0xFF]) || rest.starts(with: [0xFF, 0xFE]) {
            isBig = rest.first == 0xFE
            rest = rest.dropFirst(2)
        }
        var units: [UInt16] = []
        while rest.count >= 2 {
            let (first, second) = (UInt16(rest.removeFirst()), UInt16(rest.removeFirst()))
            units.append(isBig ? first << 8 | second : second << 8 | first)
        }
        return String(decoding: units, as: UTF16.self)
    }
}
