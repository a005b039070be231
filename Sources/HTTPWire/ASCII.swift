/// Classes of octets, as HTTP's grammars name them (RFC 9110 §5.6).
package enum ASCII {
    package static let tab: UInt8 = 0x09
    package static let lineFeed: UInt8 = 0x0a
    package static let carriageReturn: UInt8 = 0x0d
    package static let space: UInt8 = 0x20
    package static let comma: UInt8 = 0x2c
    package static let colon: UInt8 = 0x3a

    package static func isDigit(_ byte: UInt8) -> Bool { byte >= 0x30 && byte <= 0x39 }

    package static func isLetter(_ byte: UInt8) -> Bool { (byte | 0x20) >= 0x61 && (byte | 0x20) <= 0x7a }

    package static func isBlank(_ byte: UInt8) -> Bool { byte == space || byte == tab }

    /// The value of a hexadecimal digit of either case.
    package static func hexValue(_ byte: UInt8) -> UInt8? {
        switch byte {
        case 0x30...0x39: byte - 0x30
        case 0x41...0x46: byte - 0x41 + 10
        case 0x61...0x66: byte - 0x61 + 10
        default: nil
        }
    }

    /// A hexadecimal digit.
    ///
    /// - Parameters:
    ///   - value: 0…15.
    ///   - ten: that of 10, which tells the case.
    package static func hexDigit(_ value: UInt8, ten: UInt8 = UInt8(ascii: "A")) -> UInt8 {
        value < 10 ? UInt8(ascii: "0") + value : ten + (value - 10)
    }

    /// `tchar`: what methods, field names and tokens consist of.
    package static func isTokenCharacter(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "!"), UInt8(ascii: "#"), UInt8(ascii: "$"), UInt8(ascii: "%"), UInt8(ascii: "&"),
            UInt8(ascii: "'"), UInt8(ascii: "*"), UInt8(ascii: "+"), UInt8(ascii: "-"), UInt8(ascii: "."),
            UInt8(ascii: "^"), UInt8(ascii: "_"), UInt8(ascii: "`"), UInt8(ascii: "|"), UInt8(ascii: "~"):
            true
        default:
            isDigit(byte) || isLetter(byte)
        }
    }

    /// What may stand in a field value or a reason phrase: `VCHAR`, `obs-text`, space and tab.
    package static func isFieldCharacter(_ byte: UInt8) -> Bool {
        byte == tab || (byte >= 0x20 && byte != 0x7f)
    }

    /// `bytes` without blanks at both ends.
    package static func trimmed<Bytes: BidirectionalCollection<UInt8>>(_ bytes: Bytes) -> Bytes.SubSequence {
        guard let first = bytes.firstIndex(where: { !isBlank($0) }),
            let last = bytes.lastIndex(where: { !isBlank($0) })
        else { return bytes[bytes.startIndex..<bytes.startIndex] }
        return bytes[first...last]
    }

    /// The octet in lower case.
    package static func lowercased(_ byte: UInt8) -> UInt8 {
        byte >= 0x41 && byte <= 0x5a ? byte | 0x20 : byte
    }

    /// `bytes` as text that is safe in a log line: control characters and bytes beyond ASCII escaped, cut
    /// after `limit` octets, since a peer chooses both the bytes and their number.
    package static func escaped(_ bytes: some Sequence<UInt8>, limit: Int = 80) -> String {
        var text = ""
        for (count, byte) in bytes.enumerated() {
            if count == limit { return text + "…" }
            switch byte {
            case carriageReturn: text += "\\r"
            case lineFeed: text += "\\n"
            case tab: text += "\\t"
            case UInt8(ascii: "\\"): text += "\\\\"
            case 0x20...0x7e: text.unicodeScalars.append(Unicode.Scalar(byte))
            default:
                let hex = String(byte, radix: 16)
                text += hex.count == 1 ? "\\x0\(hex)" : "\\x\(hex)"
            }
        }
        return text
    }
}
