/// The MD4 message digest (RFC 1320), which the NT hash of a password is made with. No maintained package offers it
/// any more; nothing but NTLM may use it.
enum MD4 {
    private static let shifts: [[UInt32]] = [[3, 7, 11, 19], [3, 5, 9, 13], [3, 9, 11, 15]]
    private static let orders: [[Int]] = [
        Array(0..<16),
        [0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15],
        [0, 8, 4, 12, 2, 10, 6, 14, 1, 9, 5, 13, 3, 11, 7, 15],
    ]
    private static let constants: [UInt32] = [0, 0x5A82_7999, 0x6ED9_EBA1]

    /// The digest of a message, 16 octets.
    static func hash(_ message: [UInt8]) -> [UInt8] {
        var state: [UInt32] = [0x6745_2301, 0xEFCD_AB89, 0x98BA_DCFE, 0x1032_5476]
        let padded = Self.padded(message)
        for start in stride(from: 0, to: padded.count, by: 64) {
            Self.compress(padded[start..<start + 64], into: &state)
        }
        return state.flatMap { LittleEndian.bytes($0) }
    }

    /// A one bit, zeros, and the length in bits, up to whole blocks (RFC 1320 §3.1 and §3.2).
    private static func padded(_ message: [UInt8]) -> [UInt8] {
        var padded = message + [0x80]
        padded += [UInt8](repeating: 0, count: (120 - padded.count % 64) % 64)
        return padded + LittleEndian.bytes(UInt64(message.count) &* 8)
    }

    private static func compress(_ block: ArraySlice<UInt8>, into state: inout [UInt32]) {
        let words = (0..<16).map { index in
            (0..<4).reduce(UInt32(0)) { word, byte in
                word | UInt32(block[block.startIndex + index * 4 + byte]) << UInt32(byte * 8)
            }
        }
        var (a, b, c, d) = (state[0], state[1], state[2], state[3])
        for round in 0..<3 {
            for step in 0..<16 {
                let sum =
                    a &+ Self.mix(round, b, c, d) &+ words[Self.orders[round][step]] &+ Self.constants[round]
                let shift = Self.shifts[round][step % 4]
                (a, b, c, d) = (d, sum << shift | sum >> (32 - shift), b, c)
            }
        }
        for (index, value) in [a, b, c, d].enumerated() { state[index] &+= value }
    }

    private static func mix(_ round: Int, _ x: UInt32, _ y: UInt32, _ z: UInt32) -> UInt32 {
        switch round {
        case 0: x & y | ~x & z
        case 1: x & y | x & z | y & z
        default: x ^ y ^ z
        }
    }
}
