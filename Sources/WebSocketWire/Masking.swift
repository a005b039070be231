/// The XOR of RFC 6455 §5.3, with vectors and from any offset of the key.
package enum Masking {
    /// Masks or unmasks in place.
    ///
    /// - Parameters:
    ///   - key: the masking key, its first byte on the wire in the most significant place.
    ///   - bytes: the piece of payload.
    ///   - offset: where in the payload the piece starts; only its value modulo 4 matters.
    package static func apply(key: UInt32, to bytes: UnsafeMutableRawBufferPointer, offset: Int = 0) {
        guard let base = bytes.baseAddress else { return }
        xor(from: UnsafeRawPointer(base), to: base, count: bytes.count, key: key, offset: offset)
    }

    /// Copies `source` to the start of `target`, masked or unmasked on the way.
    ///
    /// - Precondition: `target` has room for `source`, and they do not overlap.
    package static func copy(
        _ source: UnsafeRawBufferPointer, to target: UnsafeMutableRawBufferPointer, key: UInt32,
        offset: Int = 0
    ) {
        guard let from = source.baseAddress, let to = target.baseAddress else { return }
        precondition(source.count <= target.count, "the caller reserves the room it masks into")
        xor(from: from, to: to, count: source.count, key: key, offset: offset)
    }

    /// `from` and `to` are the same or do not overlap.
    private static func xor(
        from: UnsafeRawPointer, to: UnsafeMutableRawPointer, count: Int, key: UInt32, offset: Int
    ) {
        let wide = pattern(key, offset)
        let lead = (0 &- Int(bitPattern: to)) & 15
        guard lead > 0, count >= 256 else { return xor(from: from, to: to, count: count, wide: wide) }
        // Payloads start wherever a header ended, and a store across two cache lines costs two. So the first vector is
        // stored as it lies, and all others aligned; they may overlap with it, so it is stored last.
        let first = from.loadUnaligned(as: SIMD2<UInt64>.self) ^ SIMD2(repeating: wide)
        xor(from: from + lead, to: to + lead, count: count &- lead, wide: pattern(key, offset &+ lead))
        to.storeBytes(of: first, as: SIMD2<UInt64>.self)
    }

    /// The key twice, as it lies in memory, from an offset on.
    private static func pattern(_ key: UInt32, _ offset: Int) -> UInt64 {
        let shift = UInt32(truncatingIfNeeded: offset & 3) &* 8
        let turned = key &<< shift | (shift == 0 ? 0 : key &>> (32 &- shift))
        let pattern = UInt32(bigEndian: turned)
        return UInt64(pattern) << 32 | UInt64(pattern)
    }

    private static func xor(
        from: UnsafeRawPointer, to: UnsafeMutableRawPointer, count: Int, wide: UInt64
    ) {
        var index = 0

        if count >= 64 {
            let vector = SIMD8<UInt64>(repeating: wide)
            // Four vectors a turn: all loads first, so that the stores do not serialise them.
            while count &- index >= 256 {
                let first = from.loadUnaligned(fromByteOffset: index, as: SIMD8<UInt64>.self)
                let second = from.loadUnaligned(fromByteOffset: index &+ 64, as: SIMD8<UInt64>.self)
                let third = from.loadUnaligned(fromByteOffset: index &+ 128, as: SIMD8<UInt64>.self)
                let fourth = from.loadUnaligned(fromByteOffset: index &+ 192, as: SIMD8<UInt64>.self)
                to.storeBytes(of: first ^ vector, toByteOffset: index, as: SIMD8<UInt64>.self)
                to.storeBytes(of: second ^ vector, toByteOffset: index &+ 64, as: SIMD8<UInt64>.self)
                to.storeBytes(of: third ^ vector, toByteOffset: index &+ 128, as: SIMD8<UInt64>.self)
                to.storeBytes(of: fourth ^ vector, toByteOffset: index &+ 192, as: SIMD8<UInt64>.self)
                index &+= 256
            }
            while count &- index >= 64 {
                let value = from.loadUnaligned(fromByteOffset: index, as: SIMD8<UInt64>.self)
                to.storeBytes(of: value ^ vector, toByteOffset: index, as: SIMD8<UInt64>.self)
                index &+= 64
            }
        }
        while count &- index >= 16 {
            let value = from.loadUnaligned(fromByteOffset: index, as: SIMD2<UInt64>.self)
            to.storeBytes(
                of: value ^ SIMD2(repeating: wide), toByteOffset: index, as: SIMD2<UInt64>.self)
            index &+= 16
        }
        if count &- index >= 8 {
            let value = from.loadUnaligned(fromByteOffset: index, as: UInt64.self)
            to.storeBytes(of: value ^ wide, toByteOffset: index, as: UInt64.self)
            index &+= 8
        }
        if count &- index >= 4 {
            let value = from.loadUnaligned(fromByteOffset: index, as: UInt32.self)
            to.storeBytes(
                of: value ^ UInt32(truncatingIfNeeded: wide), toByteOffset: index, as: UInt32.self)
            index &+= 4
        }
        // `index` is a multiple of four here: the key starts over with the tail.
        var rest = wide.littleEndian
        while index < count {
            let value = from.load(fromByteOffset: index, as: UInt8.self)
            to.storeBytes(
                of: value ^ UInt8(truncatingIfNeeded: rest), toByteOffset: index, as: UInt8.self)
            rest &>>= 8
            index &+= 1
        }
    }
}
