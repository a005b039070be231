import WebSocketWire

/// Masking and UTF-8: what is done with every byte.
struct ByteBenchmarks {
    let stopwatch: Stopwatch

    func run() throws {
        for size in [64, 1 << 10, 16 << 10, 64 << 10, 1 << 20] { try self.mask(size) }
        for size in [64, 1 << 10, 64 << 10] {
            try self.validate("UTF-8, ASCII", Self.english, size)
            try self.validate("UTF-8, mixed", Self.mixed, size)
            try self.validate("UTF-8, Japanese", Self.japanese, size)
        }
    }

    private static let english = "The quick brown fox jumps over the lazy dog, and the dog does not mind. "
    /// English, German and French with their accents, Greek, Russian, Japanese, emoji.
    private static let mixed =
        "The quick brown fox; Füchse müßten über träge Hunde springen; où ça, naïve élève? "
        + "Ξεσκεπάζω την ψυχοφθόρα βδελυγμία; съешь ещё этих мягких французских булок; "
        + "いろはにほへと ちりぬるを 👋🌍 and back to plain English text again, for a while at least. "
    private static let japanese = "いろはにほへとちりぬるを我が世誰ぞ常ならむ有為の奥山今日越えて"

    /// So many that the clock costs nothing beside them.
    private static func repeats(_ count: Int) -> Int { max(1, (64 << 10) / count) }

    private func mask(_ count: Int) throws {
        // Off by some bytes from a cache line, as payloads behind their heads are.
        let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: count + 64, alignment: 64)
        defer { memory.deallocate() }
        memory.initializeMemory(as: UInt8.self, repeating: 0x55)
        let payload = UnsafeMutableRawBufferPointer(rebasing: memory[14..<(14 + count)])
        let key: UInt32 = 0x1234_5678
        Masking.apply(key: key, to: payload)
        guard payload[0] == 0x55 ^ 0x12, payload[count - 1] == 0x55 ^ 0x78 else {
            throw LoadError("masking is wrong")
        }
        let repeats = Self.repeats(count)
        try self.stopwatch.measure("masking", bytes: count, operations: repeats) {
            for _ in 0..<repeats { Masking.apply(key: key, to: payload) }
            use(payload[0])
        }
    }

    private func validate(_ name: String, _ phrase: String, _ count: Int) throws {
        // Whole phrases only, so that no character is cut.
        let text = Array(String(repeating: phrase, count: max(1, count / phrase.utf8.count)).utf8)
        let repeats = Self.repeats(count)
        try text.withUnsafeBytes { bytes in
            try self.stopwatch.measure(name, bytes: bytes.count, operations: repeats) {
                for _ in 0..<repeats {
                    var validator = UTF8Validator()
                    guard validator.append(bytes), validator.isComplete else {
                        throw LoadError("valid UTF-8 was refused")
                    }
                }
            }
        }
    }
}
