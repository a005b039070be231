internal import NIOCore

/// Tells an answer in HTTP from a banner or a page without a head.
enum HTTPStart {
    /// The start of the bytes behind blank lines, escaped, when they cannot become a status line; nil when they can.
    static func contradiction(in buffer: ByteBuffer) -> String? {
        var bytes = buffer.readableBytesView[...]
        while true {
            if bytes.starts(with: "\r\n".utf8) {
                bytes = bytes.dropFirst(2)
            } else if bytes.first == UInt8(ascii: "\n") {
                bytes = bytes.dropFirst()
            } else {
                break
            }
        }
        guard !zip(bytes, "HTTP/".utf8).allSatisfy({ $0 == $1 }), !bytes.elementsEqual("\r".utf8) else {
            return nil
        }
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
