#if canImport(Darwin)
    import Darwin
#elseif canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// The bytes that bodies are made of: the one at `i` is `(i * 7 + i / 251) & 0xFF`, so that a lost or a doubled
/// piece shows. They repeat after 251 * 256.
enum PatternBytes {
    static let period = 251 * 256
    private static let table = (0..<period).map { UInt8(truncatingIfNeeded: $0 * 7 + $0 / 251) }

    /// Fills a buffer with what stands at `offset`.
    static func copy(to buffer: UnsafeMutableRawBufferPointer, at offset: Int) {
        self.walk(buffer.count, at: offset) { piece, done in
            buffer[done..<(done + piece.count)].copyBytes(from: piece)
            return true
        }
    }

    /// Where bytes that should stand at `offset` first differ from the pattern, counted from its start; nil if
    /// nowhere.
    static func deviation(of buffer: UnsafeRawBufferPointer, at offset: Int) -> Int? {
        var found: Int?
        self.walk(buffer.count, at: offset) { piece, done in
            guard let theirs = buffer.baseAddress, let ours = piece.baseAddress,
                memcmp(theirs + done, ours, piece.count) != 0
            else { return true }
            let index = piece.indices.first { buffer[done + $0] != piece[$0] } ?? 0
            found = offset + done + index
            return false
        }
        return found
    }

    /// Hands over the pattern from `offset` on in pieces, with what went before each, until the closure says stop.
    static func walk(
        _ count: Int, at offset: Int, _ body: (UnsafeRawBufferPointer, Int) -> Bool
    ) {
        self.table.withUnsafeBytes { table in
            var done = 0
            while done < count {
                let start = (offset + done) % self.period
                let piece = min(count - done, self.period - start)
                guard body(UnsafeRawBufferPointer(rebasing: table[start..<(start + piece)]), done) else {
                    return
                }
                done += piece
            }
        }
    }
}
