/// The HTTP of the origin: every GET is answered with the same kilobyte, and the connection is kept.
struct HTTPResponder {
    /// How many bytes of the end of a head came, of its four.
    private var matched = 0

    private static let endOfHead = Array("\r\n\r\n".utf8)

    static let body = [UInt8](repeating: UInt8(ascii: "x"), count: 1024)
    static let response =
        Array("HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 1024\r\n\r\n".utf8) + body

    /// How many requests ended in these bytes.
    mutating func receive(_ bytes: some Sequence<UInt8>) -> Int {
        var requests = 0
        for byte in bytes {
            if byte == Self.endOfHead[self.matched] {
                self.matched += 1
            } else {
                self.matched = byte == Self.endOfHead[0] ? 1 : 0
            }
            if self.matched == Self.endOfHead.count {
                requests += 1
                self.matched = 0
            }
        }
        return requests
    }
}
