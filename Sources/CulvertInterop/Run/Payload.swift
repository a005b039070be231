import NIOCore

/// What is echoed. The same every time, so that a failure can be repeated.
enum Payload {
    /// Words of one to four bytes a character, so many bytes in all.
    static func text(bytes count: Int) -> String {
        let words = "echo Grüße Ελλάδα 漢字 👋🏽 "
        var text = ""
        text.reserveCapacity(count)
        let size = words.utf8.count
        for _ in 0..<(count / size) { text += words }
        // The rest in characters of one byte: the size is exact.
        return text + String(repeating: "x", count: count - count / size * size)
    }

    /// Bytes that no compression shortens much.
    static func binary(bytes count: Int) -> ByteBuffer {
        var state: UInt64 = 0x9E37_79B9_7F4A_7C15
        var buffer = ByteBuffer()
        buffer.reserveCapacity(count)
        buffer.writeWithUnsafeMutableBytes(minimumWritableBytes: count) { bytes in
            for index in 0..<count {
                state ^= state << 13
                state ^= state >> 7
                state ^= state << 17
                bytes[index] = UInt8(truncatingIfNeeded: state)
            }
            return count
        }
        return buffer
    }
}
