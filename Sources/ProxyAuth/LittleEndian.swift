/// Integers as Microsoft's protocols and MD4 write them: least significant octet first.
enum LittleEndian {
    static func bytes(_ value: some FixedWidthInteger) -> [UInt8] {
        (0..<value.bitWidth / 8).map { UInt8(truncatingIfNeeded: value >> ($0 * 8)) }
    }

    /// The integer at an offset, or nil where the message ends before it does.
    static func read<Integer: FixedWidthInteger & UnsignedInteger>(
        _ type: Integer.Type = Integer.self, from bytes: [UInt8], at offset: Int
    ) -> Integer? {
        let count = Integer.bitWidth / 8
        guard offset >= 0, bytes.count >= count, offset <= bytes.count - count else { return nil }
        return (0..<count).reduce(0) { $0 | Integer(bytes[offset + $1]) << ($1 * 8) }
    }
}
