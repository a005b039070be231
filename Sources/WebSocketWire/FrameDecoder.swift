package import NIOCore

/// Cuts a byte stream into frames: a head, then its payload in whatever pieces come (RFC 6455 §5).
///
/// The payload is never held here. Each piece goes straight to the buffer of its message and is unmasked there, so
/// a byte is copied once and the buffer that was received is never written to (it may be shared with the channel's
/// pool). Small masked frames that came whole are unmasked together, into a buffer that is used again: their messages
/// are slices of it. After `needMore` only the start of a head is held, at most 13 bytes.
package struct FrameDecoder: Sendable {
    private let rules: FrameHeader.Rules
    private var input = ByteBuffer()
    private var maskKey: UInt32?
    /// So many bytes at the front of the input are whole frames whose payload is unmasked already.
    private var unmaskedAhead = 0
    /// What the input becomes when frames are unmasked ahead; kept to be used again.
    private var spare = ByteBuffer()
    /// The input is our own buffer, not one that was received.
    private var isInputOwn = false
    /// Bytes of the current frame's payload already handed out: the phase of the mask.
    private var payloadDone = 0

    /// Bytes of the current frame's payload that were not handed out yet.
    package private(set) var payloadRemaining = 0

    package init(rules: FrameHeader.Rules) {
        self.rules = rules
    }

    /// Bytes received and not handed out.
    package var bufferedBytes: Int { input.readableBytes }

    /// Whether every missing byte of the current frame's payload is here.
    package var hasWholePayload: Bool { input.readableBytes >= payloadRemaining }

    /// Memory that is held for them.
    package var bufferCapacity: Int { input.storageCapacity }

    /// Takes the next bytes off the connection.
    package mutating func append(_ bytes: ByteBuffer) {
        if input.readableBytes == 0 {
            input = bytes
            isInputOwn = false
        } else if input.readableBytes < FrameHeader.maxBytes {
            // The start of a head. Appended to the buffer it came in, the bytes before it would stay for as long as
            // each read ends inside a head.
            var joined = ByteBufferAllocator().buffer(capacity: input.readableBytes + bytes.readableBytes)
            joined.writeImmutableBuffer(input)
            joined.writeImmutableBuffer(bytes)
            input = joined
        } else {
            input.discardReadBytes()
            input.writeImmutableBuffer(bytes)
        }
    }

    /// The head of the next frame; nil while it is incomplete.
    ///
    /// - Precondition: `payloadRemaining` is zero.
    package mutating func nextHeader() throws(WebSocketProtocolError) -> FrameHeader? {
        precondition(payloadRemaining == 0, "the payload of a frame is read before the next head")
        if rules.expectsMask, unmaskedAhead == 0 { unmaskAhead() }
        let before = input.readableBytes
        guard let header = try FrameHeader.parse(&input, rules: rules) else {
            releaseWhenEmpty()
            return nil
        }
        maskKey = header.maskKey
        if unmaskedAhead > 0 {
            unmaskedAhead -= before - input.readableBytes + header.payloadLength
            maskKey = nil
        }
        payloadDone = 0
        payloadRemaining = header.payloadLength
        return header
    }

    /// Appends to `target` what is here of the current frame's payload, unmasked.
    package mutating func readPayload(into target: inout ByteBuffer, atMost limit: Int = .max) {
        let count = min(payloadRemaining, input.readableBytes, limit)
        guard count > 0 else { return }
        // Also without a mask: glibc's memmove on AMD takes `rep movsb`, which falls from 40 to 3 GB/s when the two
        // addresses are close modulo a page, and pieces that follow each other into one buffer often are.
        let key = maskKey ?? 0
        let phase = payloadDone
        input.readWithUnsafeReadableBytes { bytes in
            let piece = UnsafeRawBufferPointer(rebasing: bytes.prefix(count))
            target.writeWithUnsafeMutableBytes(minimumWritableBytes: count) { room in
                Masking.copy(piece, to: room, key: key, offset: phase)
                return count
            }
            return count
        }
        payloadDone += count
        payloadRemaining -= count
        releaseWhenEmpty()
    }

    /// The whole payload of the current frame without a copy, when it is here and was not masked.
    package mutating func readWholePayload() -> ByteBuffer? {
        guard maskKey == nil, payloadDone == 0, hasWholePayload,
            let payload = input.readSlice(length: payloadRemaining)
        else { return nil }
        payloadDone = payloadRemaining
        payloadRemaining = 0
        releaseWhenEmpty()
        return payload
    }

    /// Throws away what was received: the connection is over.
    package mutating func discard() {
        input = ByteBuffer()
        spare = ByteBuffer()
        unmaskedAhead = 0
        isInputOwn = false
    }

    /// A drained buffer goes back to its owner at once.
    private mutating func releaseWhenEmpty() {
        guard input.readableBytes == 0 else { return }
        if isInputOwn { spare = input }
        isInputOwn = false
        input = ByteBuffer()
    }

    /// Copies the input, with the small whole frames at its front unmasked.
    private mutating func unmaskAhead() {
        guard input.withUnsafeReadableBytes(FrameRun.begins) else { return }
        // The only reference: a message that is still held somewhere costs a new buffer, never a copy of the old.
        var copy = spare
        spare = ByteBuffer()
        copy.clear(minimumCapacity: input.readableBytes)
        unmaskedAhead = input.withUnsafeReadableBytes { bytes in
            copy.writeWithUnsafeMutableBytes(minimumWritableBytes: bytes.count) { room in
                Masking.copy(bytes, to: room, key: 0)
                return bytes.count
            }
            return copy.withUnsafeMutableReadableBytes { FrameRun.unmask($0) }
        }
        input = copy
        isInputOwn = input.storageCapacity <= Self.maxSpareBytes
    }

    /// 64 KiB: what one read brings. A larger buffer is not kept.
    private static let maxSpareBytes = 64 << 10
}
