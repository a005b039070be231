/// Percent-escapes of URLs (RFC 3986 §2.1).
package enum PercentEncoding {
    /// Whether every percent sign is followed by two hexadecimal digits.
    package static func isWellFormed(_ bytes: ArraySlice<UInt8>) -> Bool {
        decodedBytes(bytes) != nil
    }

    /// The text that the escapes stand for; nil for a malformed escape and for what is not UTF-8.
    package static func decoded(_ bytes: ArraySlice<UInt8>) -> String? {
        decodedBytes(bytes).flatMap { String(validating: $0, as: UTF8.self) }
    }

    /// Escapes every byte above 0x7F and leaves the rest alone.
    package static func encodingNonASCII(_ bytes: ArraySlice<UInt8>) -> String {
        var result: [UInt8] = []
        result.reserveCapacity(bytes.count)
        for byte in bytes {
            if byte < 0x80 {
                result.append(byte)
            } else {
                result += [UInt8(ascii: "%"), ASCII.hexDigit(byte >> 4), ASCII.hexDigit(byte & 0x0F)]
            }
        }
        return String(decoding: result, as: UTF8.self)
    }

    private static func decodedBytes(_ bytes: ArraySlice<UInt8>) -> [UInt8]? {
        var result: [UInt8] = []
        result.reserveCapacity(bytes.count)
        var rest = bytes
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "%") else {
                result.append(byte)
                continue
            }
            guard let high = rest.popFirst().flatMap(ASCII.hexValue),
                let low = rest.popFirst().flatMap(ASCII.hexValue)
            else {
                return nil
            }
            result.append(high << 4 | low)
        }
        return result
    }
}
