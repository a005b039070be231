package import NIOCore

/// Appends one frame to `buffer`: the head in its shortest form, then the payload, masked as it is copied
/// (RFC 6455 §5.2, §5.3).
///
/// - Parameters:
///   - rsv1: reserved bit 1, only with an extension that uses it.
///   - maskKey: the key, first byte on the wire in the most significant place; nil for a server's frame.
package func writeFrame(
    opcode: WebSocketOpcode, fin: Bool = true, rsv1: Bool = false, payload: ByteBuffer, maskKey: UInt32?,
    into buffer: inout ByteBuffer
) {
    payload.withUnsafeReadableBytes { bytes in
        writeFrame(opcode: opcode, fin: fin, rsv1: rsv1, payload: bytes, maskKey: maskKey, into: &buffer)
    }
}

/// The same for bytes that stand elsewhere, such as a string's.
package func writeFrame(
    opcode: WebSocketOpcode, fin: Bool = true, rsv1: Bool = false, payload: UnsafeRawBufferPointer,
    maskKey: UInt32?, into buffer: inout ByteBuffer
) {
    let count = payload.count
    buffer.reserveCapacity(minimumWritableBytes: FrameHeader.maxBytes + count)
    let first = opcode.rawValue | (fin ? 0x80 : 0) | (rsv1 ? 0x40 : 0)
    let mask: UInt8 = maskKey == nil ? 0 : 0x80
    switch count {
    case ...125:
        buffer.writeMultipleIntegers(first, mask | UInt8(truncatingIfNeeded: count))
    case ...0xFFFF:
        buffer.writeMultipleIntegers(first, mask | 126, UInt16(truncatingIfNeeded: count))
    default:
        buffer.writeMultipleIntegers(first, mask | 127, UInt64(count))
    }
    guard let maskKey else {
        buffer.writeBytes(payload)
        return
    }
    buffer.writeInteger(maskKey)
    buffer.writeWithUnsafeMutableBytes(minimumWritableBytes: count) { room in
        Masking.copy(payload, to: room, key: maskKey)
        return count
    }
}
