package import NIOCore

/// Cuts a byte stream into frames: a head, then its payload in whatever pieces come (RFC 6455 §5).
///
/// The payload is never held here. Each piece goes straight to the buffer of its message and is unmasked there, so
/// a byte is copied once and the buffer that was received is never written to (it may be shared with the channel's
/// pool). After `needMore` only the start of a head is held, at most 13 bytes.
package struct FrameDecoder: Sendable {
    private let rules: FrameHeader.Rules
    private var input = ByteBuffer()
    private var maskKey: UInt32?
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
        guard let header = try FrameHeader.parse(&input, rules: rules) else {
            releaseWhenEmpty()
            return nil
        }
        maskKey = header.maskKey
        payloadDone = 0
        payloadRemaining = header.payloadLength
        return header
    }

    /// Appends to `target` what is here of the current frame's payload, unmasked.
    package mutating func readPayload(into target: inout ByteBuffer) {
        let count = min(payloadRemaining, input.readableBytes)
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
    }

    /// A drained buffer goes back to its owner at once.
    private mutating func releaseWhenEmpty() {
        if input.readableBytes == 0 { input = ByteBuffer() }
    }
}
