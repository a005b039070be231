internal import NIOCore

/// Tells an answer in HTTP from a banner or a page without a head, as soon as its first bytes are there.
enum HTTPStart {
    /// The start of the bytes, escaped, when they cannot become a status line; nil while they can.
    static func contradiction(in buffer: ByteBuffer) -> String? {
        let bytes = buffer.readableBytesView.drop { $0 == UInt8(ascii: "\r") || $0 == UInt8(ascii: "\n") }
        let start = "HTTP/".utf8
        guard !zip(bytes, start).allSatisfy({ $0 == $1 }) else { return nil }
        return bytes.prefix(60).reduce(into: "") { text, byte in
            if (0x20..<0x7F).contains(byte) {
                text.unicodeScalars.append(Unicode.Scalar(byte))
            } else {
                let digits = String(byte, radix: 16)
                text += byte < 16 ? "\\x0\(digits)" : "\\x\(digits)"
            }
        }
    }
}
