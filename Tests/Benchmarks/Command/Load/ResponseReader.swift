/// Reads the response that ``HTTPResponder`` gives, as a proxy passed it on.
struct ResponseReader {
    private var head: [UInt8] = []
    private var bodyLeft: Int?

    /// 16 KiB: more than any proxy adds.
    private static let maxHead = 16 << 10

    /// Whether the response ended with these bytes.
    mutating func receive(_ bytes: UnsafeRawBufferPointer) throws -> Bool {
        var rest = bytes[...]
        while self.bodyLeft == nil, let byte = rest.popFirst() {
            self.head.append(byte)
            if byte == UInt8(ascii: "\n"), self.head.suffix(4).elementsEqual("\r\n\r\n".utf8) {
                self.bodyLeft = try Self.bodyLength(self.head)
                self.head.removeAll(keepingCapacity: true)
            }
            guard self.head.count < Self.maxHead else { throw LoadError("a response head without end") }
        }
        guard let left = self.bodyLeft else { return false }
        guard rest.count <= left else { throw LoadError("bytes behind a response") }
        self.bodyLeft = rest.count == left ? nil : left - rest.count
        return self.bodyLeft == nil
    }

    private static func bodyLength(_ head: [UInt8]) throws -> Int {
        let lines = String(decoding: head, as: UTF8.self).lowercased().split(separator: "\r\n")
        guard lines.first?.split(separator: " ").dropFirst().first == "200" else {
            throw LoadError("the proxy answered \(lines.first.map(String.init) ?? "nothing")")
        }
        let field = lines.first { $0.hasPrefix("content-length:") }?.dropFirst("content-length:".count)
        let length = field?.drop { $0 == " " }
        guard let length = length.flatMap({ Int($0) }), length == HTTPResponder.body.count else {
            throw LoadError("a response whose length is not that of the origin's")
        }
        return length
    }
}
