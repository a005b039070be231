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

    /// `from` and `to` are the same or do not overlap. Loads and stores are unaligned: payloads start wherever a
    /// header ended, and on current processors an unaligned vector inside a cache line costs nothing.
    private static func xor(
        from: UnsafeRawPointer, to: UnsafeMutableRawPointer, count: Int, key: UInt32, offset: Int
    ) {
        let shift = UInt32(truncatingIfNeeded: offset & 3) &* 8
        let turned = key &<< shift | (shift == 0 ? 0 : key &>> (32 &- shift))
        let pattern = UInt32(bigEndian: turned)
        let wide = UInt64(pattern) << 32 | UInt64(pattern)
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
        while count &- index >= 8 {
            let value = from.loadUnaligned(fromByteOffset: index, as: UInt64.self)
            to.storeBytes(of: value ^ wide, toByteOffset: index, as: UInt64.self)
            index &+= 8
        }
        // `index` is a multiple of eight here: the key starts over with the tail.
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
