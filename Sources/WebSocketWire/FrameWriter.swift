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
    let first = opcode.rawValue | (fin ? 0x80 : 0) | (rsv1 ? 0x40 : 0)
    // Head and payload in one access: what a buffer checks at each costs more than a small frame.
    buffer.writeWithUnsafeMutableBytes(minimumWritableBytes: FrameHeader.maxBytes + count) { room in
        var length = writeHead(first: first, payloadLength: count, isMasked: maskKey != nil, to: room)
        if let maskKey {
            room.storeBytes(of: maskKey.bigEndian, toByteOffset: length, as: UInt32.self)
            length += 4
        }
        let rest = UnsafeMutableRawBufferPointer(rebasing: room[length...])
        if let maskKey {
            Masking.copy(payload, to: rest, key: maskKey)
        } else {
            rest.copyMemory(from: payload)
        }
        return length + count
    }
}

/// The head alone of a server's frame with so many bytes, which follow without a copy.
func writeFrameHead(opcode: WebSocketOpcode, payloadLength: Int, into buffer: inout ByteBuffer) {
    buffer.writeWithUnsafeMutableBytes(minimumWritableBytes: FrameHeader.maxBytes) { room in
        writeHead(first: opcode.rawValue | 0x80, payloadLength: payloadLength, isMasked: false, to: room)
    }
}

/// The two to ten bytes before the mask. Returns how many.
private func writeHead(
    first: UInt8, payloadLength: Int, isMasked: Bool, to room: UnsafeMutableRawBufferPointer
) -> Int {
    let mask: UInt8 = isMasked ? 0x80 : 0
    room.storeBytes(of: first, as: UInt8.self)
    switch payloadLength {
    case ...125:
        room.storeBytes(of: mask | UInt8(truncatingIfNeeded: payloadLength), toByteOffset: 1, as: UInt8.self)
        return 2
    case ...0xFFFF:
        room.storeBytes(of: mask | 126, toByteOffset: 1, as: UInt8.self)
        let length = UInt16(truncatingIfNeeded: payloadLength)
        room.storeBytes(of: length.bigEndian, toByteOffset: 2, as: UInt16.self)
        return 4
    default:
        room.storeBytes(of: mask | 127, toByteOffset: 1, as: UInt8.self)
        room.storeBytes(of: UInt64(payloadLength).bigEndian, toByteOffset: 2, as: UInt64.self)
        return 10
    }
}
