/// Checks UTF-8 that comes in pieces split anywhere, also inside a character (RFC 3629, RFC 6455 §8.1).
///
/// Fails with the first byte after which no continuation could be valid, so a text message is refused while it is
/// still coming.
///
/// Runs as an automaton whose next state is one shift: each byte's row of 64 bits holds, at the bit offset that *is*
/// the current state, the six bits of the next one. Runs of ASCII are skipped by vectors.
package struct UTF8Validator: Sendable {
    private var state = UTF8Automaton.start

    package init() {}

    /// Whether the bytes up to here end with a whole character.
    package var isComplete: Bool { state == UTF8Automaton.start }

    /// Takes the next piece. False when it cannot be the continuation of valid text, and from then on.
    package mutating func append(_ bytes: UnsafeRawBufferPointer) -> Bool {
        guard let base = bytes.baseAddress else { return state != UTF8Automaton.failed }
        state = UTF8Automaton.rows.withUnsafeBufferPointer { rows in
            Self.run(from: state, base: base, count: bytes.count, rows: rows)
        }
        return state != UTF8Automaton.failed
    }

    /// Starts over for the next text.
    package mutating func reset() {
        state = UTF8Automaton.start
    }

    private static func run(
        from start: UInt64, base: UnsafeRawPointer, count: Int, rows: UnsafeBufferPointer<UInt64>
    ) -> UInt64 {
        guard let row = rows.baseAddress else { return UTF8Automaton.failed }
        guard count >= leastForLanes else { return walk(from: start, base, 0..<count, row) }
        return walkInLanes(from: start, base, count, row)
    }

    private static func walk(
        from start: UInt64, _ base: UnsafeRawPointer, _ range: Range<Int>, _ row: UnsafePointer<UInt64>
    ) -> UInt64 {
        var state = start
        var index = range.lowerBound
        while range.upperBound &- index >= 32 {
            if state != UTF8Automaton.start || !isASCII32(base + index) {
                state = step(from: state, base, index..<index &+ 32, row)
                if state == UTF8Automaton.failed { return state }
            }
            index &+= 32
        }
        return step(from: state, base, index..<range.upperBound, row)
    }

    /// - Parameter row: the first of 256, one for each value of a byte: never out of bounds.
    @inline(__always)
    private static func step(
        from start: UInt64, _ base: UnsafeRawPointer, _ range: Range<Int>, _ row: UnsafePointer<UInt64>
    ) -> UInt64 {
        var state = start
        var index = range.lowerBound
        while index < range.upperBound {
            // A shift looks at six bits only: the others are cut off at the end.
            state = row[Int(base.load(fromByteOffset: index, as: UInt8.self))] &>> state
            index &+= 1
        }
        return state & 63
    }

    // MARK: Lanes

    /// What is shorter is through before four lanes are laid out, in bytes.
    private static let leastForLanes = 256

    /// Each byte has to wait for the one before it, but not for those of another part of the text: four parts, which
    /// begin with a character each, are walked through side by side.
    private static func walkInLanes(
        from start: UInt64, _ base: UnsafeRawPointer, _ count: Int, _ row: UnsafePointer<UInt64>
    ) -> UInt64 {
        let quarter = count / 4
        guard let second = characterStart(at: quarter, base),
            let third = characterStart(at: 2 &* quarter, base),
            let fourth = characterStart(at: 3 &* quarter, base)
        else { return UTF8Automaton.failed }
        let common = min(second, third &- second, fourth &- third, count &- fourth) & ~31
        var (a, b, c, d) = (start, UTF8Automaton.start, UTF8Automaton.start, UTF8Automaton.start)
        var offset = 0
        while offset < common {
            let block = (base + offset, base + second + offset, base + third + offset, base + fourth + offset)
            let isBetween = a == UTF8Automaton.start && b == a && c == a && d == a
            if !isBetween || !isASCII32(block.0) || !isASCII32(block.1) || !isASCII32(block.2)
                || !isASCII32(block.3)
            {
                for index in 0..<32 {
                    a = row[Int(block.0.load(fromByteOffset: index, as: UInt8.self))] &>> a
                    b = row[Int(block.1.load(fromByteOffset: index, as: UInt8.self))] &>> b
                    c = row[Int(block.2.load(fromByteOffset: index, as: UInt8.self))] &>> c
                    d = row[Int(block.3.load(fromByteOffset: index, as: UInt8.self))] &>> d
                }
                (a, b, c, d) = (a & 63, b & 63, c & 63, d & 63)
                let failed = UTF8Automaton.failed
                if a == failed || b == failed || c == failed || d == failed { return failed }
            }
            offset &+= 32
        }
        a = walk(from: a, base, offset..<second, row)
        b = walk(from: b, base, second &+ offset..<third, row)
        c = walk(from: c, base, third &+ offset..<fourth, row)
        // A part that ends inside a character is followed by a byte that does not continue it.
        guard a == UTF8Automaton.start, b == a, c == a else { return UTF8Automaton.failed }
        return walk(from: d, base, fourth &+ offset..<count, row)
    }

    /// The nearest place up to this one where a character begins; nil where so many bytes only continue one that the
    /// text cannot be valid.
    private static func characterStart(at index: Int, _ base: UnsafeRawPointer) -> Int? {
        (0..<4).lazy.map { index &- $0 }.first {
            base.load(fromByteOffset: $0, as: UInt8.self) & 0xC0 != 0x80
        }
    }

    @inline(__always)
    private static func isASCII32(_ base: UnsafeRawPointer) -> Bool {
        let block = base.loadUnaligned(as: SIMD4<UInt64>.self)
        return (block[0] | block[1] | block[2] | block[3]) & 0x8080_8080_8080_8080 == 0
    }
}

/// The states, as bit offsets into a row, and the rows themselves. Table 3-7 of the Unicode standard.
private enum UTF8Automaton {
    static let failed: UInt64 = 0
    static let start: UInt64 = 6
    /// One, two, three continuation bytes of any value are missing.
    static let one: UInt64 = 12
    static let two: UInt64 = 18
    static let three: UInt64 = 24
    /// After E0 (no overlong), ED (no surrogate), F0 (no overlong), F4 (not above U+10FFFF).
    static let afterE0: UInt64 = 30
    static let afterED: UInt64 = 36
    static let afterF0: UInt64 = 42
    static let afterF4: UInt64 = 48

    static let rows: [UInt64] = (UInt8.min...UInt8.max).map(row)

    private static func row(_ byte: UInt8) -> UInt64 {
        var row: UInt64 = 0
        let lead =
            switch byte {
            case 0x00...0x7F: start
            case 0xC2...0xDF: one
            case 0xE0: afterE0
            case 0xED: afterED
            case 0xE1...0xEF: two
            case 0xF0: afterF0
            case 0xF1...0xF3: three
            case 0xF4: afterF4
            default: failed
            }
        row |= lead << start
        if case 0x80...0xBF = byte {
            row |= start << one | one << two | two << three
            row |= (byte >= 0xA0 ? one : failed) << afterE0
            row |= (byte <= 0x9F ? one : failed) << afterED
            row |= (byte >= 0x90 ? two : failed) << afterF0
            row |= (byte <= 0x8F ? two : failed) << afterF4
        }
        return row
    }
}
