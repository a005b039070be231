package import NIOCore

/// The head of one frame, parsed and checked (RFC 6455 §5.2).
package struct FrameHeader: Hashable, Sendable {
    /// The last frame of its message.
    package var fin: Bool
    /// Reserved bit 1: permessage-deflate marks a compressed message with it (RFC 7692 §6).
    package var rsv1: Bool
    package var opcode: WebSocketOpcode
    /// The masking key, its first byte on the wire in the most significant place; nil for an unmasked frame.
    package var maskKey: UInt32?
    /// In bytes, without the head.
    package var payloadLength: Int

    package init(fin: Bool, rsv1: Bool = false, opcode: WebSocketOpcode, maskKey: UInt32?, payloadLength: Int)
    {
        self.fin = fin
        self.rsv1 = rsv1
        self.opcode = opcode
        self.maskKey = maskKey
        self.payloadLength = payloadLength
    }

    /// Two bytes, eight of length, four of key.
    package static let maxBytes = 14

    /// What a peer may put into a head, decided by our role, the extensions and the limits.
    package struct Rules: Hashable, Sendable {
        /// Frames to a server are masked, frames to a client are not (§5.1).
        package var expectsMask: Bool
        /// An extension that uses reserved bit 1 was negotiated (§5.2).
        package var allowsRSV1: Bool
        package var maxFrameBytes: Int

        package init(expectsMask: Bool, allowsRSV1: Bool, maxFrameBytes: Int) {
            self.expectsMask = expectsMask
            self.allowsRSV1 = allowsRSV1
            self.maxFrameBytes = maxFrameBytes
        }
    }

    /// Takes a head off the front of `bytes`; nil, and nothing taken, while it is incomplete. A broken rule is
    /// reported as soon as the bytes that break it are there.
    package static func parse(
        _ bytes: inout ByteBuffer, rules: Rules
    ) throws(WebSocketProtocolError) -> FrameHeader? {
        let start = bytes.readerIndex
        guard let first = bytes.getInteger(at: start, as: UInt16.self) else { return nil }

        let fin = first & 0x8000 != 0
        let opcode = try checkedOpcode(first)
        let rsv1 = first & 0x4000 != 0
        if first & 0x3000 != 0 {
            throw .violation("a reserved bit is set that no extension uses")
        }
        if rsv1, !rules.allowsRSV1 || opcode.isControl || opcode == .continuation {
            throw .violation("reserved bit 1 is set where no extension uses it")
        }
        if opcode.isControl, !fin {
            throw .violation("a control frame in fragments")
        }
        let masked = first & 0x0080 != 0
        if masked != rules.expectsMask {
            throw .violation(masked ? "a masked frame from a server" : "an unmasked frame from a client")
        }

        guard
            let (length, lengthBytes) = try checkedLength(
                bytes, at: start + 2, marker: first & 0x007F, isControl: opcode.isControl)
        else { return nil }
        if length > rules.maxFrameBytes, !opcode.isControl {
            throw .tooBig("a frame of \(length) bytes, over the limit of \(rules.maxFrameBytes)")
        }

        var maskKey: UInt32?
        if masked {
            guard let key = bytes.getInteger(at: start + 2 + lengthBytes, as: UInt32.self) else { return nil }
            maskKey = key
        }
        bytes.moveReaderIndex(forwardBy: 2 + lengthBytes + (masked ? 4 : 0))
        return FrameHeader(fin: fin, rsv1: rsv1, opcode: opcode, maskKey: maskKey, payloadLength: length)
    }

    private static func checkedOpcode(_ first: UInt16) throws(WebSocketProtocolError) -> WebSocketOpcode {
        let number = UInt8(truncatingIfNeeded: first >> 8) & 0x0F
        guard let opcode = WebSocketOpcode(rawValue: number) else {
            throw .violation("reserved opcode \(number)")
        }
        return opcode
    }

    /// The length, and how many bytes it took behind the first two; nil while they are incomplete.
    private static func checkedLength(
        _ bytes: ByteBuffer, at index: Int, marker: UInt16, isControl: Bool
    ) throws(WebSocketProtocolError) -> (length: Int, bytes: Int)? {
        if marker < 126 { return (Int(marker), 0) }
        if isControl {
            throw .violation("a control frame of more than 125 bytes")
        }
        if marker == 126 {
            guard let length = bytes.getInteger(at: index, as: UInt16.self) else { return nil }
            if length < 126 {
                throw .violation("the length \(length) in three bytes where one is enough")
            }
            return (Int(length), 2)
        }
        guard let wide = bytes.getInteger(at: index, as: UInt64.self) else { return nil }
        guard wide >> 63 == 0, let length = Int(exactly: wide) else {
            throw .violation("a length of more than 63 bits")
        }
        if length <= 0xFFFF {
            throw .violation("the length \(length) in nine bytes where fewer are enough")
        }
        return (length, 8)
    }
}
