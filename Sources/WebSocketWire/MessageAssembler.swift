internal import NIOCore

/// Joins the fragments of a message and checks text as it comes (RFC 6455 §5.4, §5.6, §8.1), or hands out what it
/// has of a message before its end.
struct MessageAssembler: Sendable {
    /// The message that is being received.
    private struct Unfinished {
        let isText: Bool
        let isTransformed: Bool
        var fragments = 1
        var content = ByteBuffer()
        /// The text came in one piece that nothing looked at yet; making the `String` checks it.
        var isUnchecked = false
        /// The content shares the buffer that was received.
        var isSlice = false
        /// Bytes that went out as fragments.
        var delivered = 0
        /// A fragment went out, so the rest goes the same way.
        var isStreamed = false
        /// Larger than the limit for whole messages, which only streaming permits.
        var isBeyondLimit = false

        /// Does not end as a whole message.
        var isApart: Bool { isStreamed || isBeyondLimit }

        /// The same message behind a fragment that took all its content. Fragments bound nothing but empty frames
        /// in a row then.
        func handedOut() -> Unfinished {
            var rest = self
            rest.delivered += content.readableBytes
            rest.content = ByteBuffer()
            if content.readableBytes > 0 { rest.fragments = 1 }
            rest.isStreamed = true
            return rest
        }
    }

    private let limits: WebSocketLimits
    var delivery = MessageDelivery.messages
    private var unfinished: Unfinished?
    private var validator = UTF8Validator()
    /// Where pieces of a transformed message are unmasked; kept to be used again.
    private var scratch = ByteBuffer()
    /// Where text is collected before it becomes a `String`; kept to be used again while it is small.
    private var textBuffer = ByteBuffer()

    /// 64 KiB: what one read brings. A larger buffer is given back after its message.
    private static let maxKeptCapacity = 64 << 10
    /// 64 KiB: a fragment goes out when it has as much, however much more was received.
    private static let fragmentBytes = 64 << 10
    /// 2 KiB of compressed payload make at most 2 MiB: decoded at a time where no limit for the message holds.
    private static let transformedStep = 2 << 10

    init(limits: WebSocketLimits) {
        self.limits = limits
    }

    /// Bytes of the message so far.
    var bufferedBytes: Int { unfinished?.content.readableBytes ?? 0 }

    /// A data frame starts: checks that it may come here and that it fits.
    mutating func begin(_ header: FrameHeader) throws(WebSocketProtocolError) {
        if header.opcode == .continuation {
            guard let fragments = unfinished?.fragments else {
                throw .violation("a continuation frame without a message to continue")
            }
            if fragments >= limits.maxFragments {
                throw .policy("a message of more than \(limits.maxFragments) frames")
            }
            unfinished?.fragments = fragments + 1
        } else {
            if unfinished != nil {
                throw .violation("a new message inside a fragmented one")
            }
            var message = Unfinished(isText: header.opcode == .text, isTransformed: header.rsv1)
            if message.isText { swap(&message.content, &textBuffer) }
            unfinished = message
            validator.reset()
        }
        // Compared without adding: the sum of two lengths from the peer could overflow. What a transformed message
        // stands for is bounded by the transform while it decodes; but nothing worth sending doubles in size.
        let isTransformed = unfinished?.isTransformed == true
        let length = isTransformed ? header.payloadLength / 2 : header.payloadLength
        let room = isTransformed ? limits.maxMessageBytes : limits.maxMessageBytes - messageBytes
        if length > room { try goBeyondLimit() }
    }

    /// The message's bytes so far, delivered ones included.
    private var messageBytes: Int { (unfinished?.delivered ?? 0) + bufferedBytes }

    private mutating func goBeyondLimit() throws(WebSocketProtocolError) {
        if delivery == .messages {
            throw .tooBig("a message of more than \(limits.maxMessageBytes) bytes")
        }
        unfinished?.isBeyondLimit = true
    }

    /// Takes what the decoder has of the current frame's payload.
    mutating func append(
        from decoder: inout FrameDecoder, fin: Bool, transform: inout (any PayloadTransform)?
    ) throws(WebSocketProtocolError) {
        guard var message = unfinished else { return }
        // The only reference to the content, so that appending does not copy what is there.
        unfinished = nil
        defer { unfinished = message }

        let before = message.content.readableBytes
        if message.isTransformed {
            scratch.clear()
            let isBounded = delivery == .messages
            decoder.readPayload(into: &scratch, atMost: isBounded ? .max : Self.transformedStep)
            let isLast = fin && decoder.payloadRemaining == 0
            try transform?.decode(
                scratch, isLast: isLast, limit: isBounded ? limits.maxMessageBytes : .max,
                into: &message.content)
            if message.content.readableBytes > limits.maxMessageBytes - message.delivered {
                message.isBeyondLimit = true
            }
        } else if message.fragments == 1, fin, before == 0, !message.isStreamed, !message.isBeyondLimit,
            decoder.hasWholePayload
        {
            message.isUnchecked = true
            if let slice = decoder.readWholePayload() {
                message.content = slice
                message.isSlice = true
            } else {
                decoder.readPayload(into: &message.content)
            }
            return
        } else {
            decoder.readPayload(into: &message.content)
        }
        guard message.isText else { return }
        let isValid = message.content.withUnsafeReadableBytes { bytes in
            validator.append(UnsafeRawBufferPointer(rebasing: bytes.dropFirst(before)))
        }
        if !isValid { throw .invalidText("a text message that is not UTF-8") }
    }

    /// The last frame is complete: the message.
    mutating func finish() throws(WebSocketProtocolError) -> WebSocketMessage {
        guard var message = unfinished else {
            throw .violation("a message ended that did not start")
        }
        unfinished = nil
        guard message.isText else {
            return .binary(Self.compact(message.content))
        }
        if !message.isUnchecked, !validator.isComplete {
            throw .invalidText("a text message that is not UTF-8")
        }
        let text = try Self.text(message.content)
        if !message.isSlice, message.content.storageCapacity <= Self.maxKeptCapacity {
            message.content.clear()
            textBuffer = message.content
        }
        return .text(text)
    }

    /// What is to go out before the message is whole, if anything is.
    ///
    /// - Parameters:
    ///   - isLast: the message ends here.
    ///   - isAll: everything that was received is in it.
    mutating func fragment(isLast: Bool, isAll: Bool) throws(WebSocketProtocolError) -> WebSocketFragment? {
        guard delivery == .fragments || unfinished?.isApart == true,
            let message = unfinished, isDue(message, isLast: isLast, isAll: isAll)
        else { return nil }
        if isLast, message.isText, !validator.isComplete {
            throw .invalidText("a text message that is not UTF-8")
        }
        let fragment = WebSocketFragment(
            kind: message.isText ? .text : .binary, bytes: message.content, isFirst: !message.isStreamed,
            isLast: isLast, isBeyondLimit: message.isBeyondLimit)
        unfinished = isLast ? nil : message.handedOut()
        return fragment
    }

    private func isDue(_ message: Unfinished, isLast: Bool, isAll: Bool) -> Bool {
        if isLast { return message.isApart }
        // Never to be a whole message: the consumer learns it at once.
        if message.isBeyondLimit, !message.isStreamed { return true }
        let count = message.content.readableBytes
        return count >= Self.fragmentBytes || isAll && count > 0
    }

    /// Throws away what came: the connection is over.
    mutating func discard() {
        unfinished = nil
        scratch = ByteBuffer()
        textBuffer = ByteBuffer()
    }

    /// A slice keeps the whole buffer alive that was received: a small message must not pin a large one. It may pin
    /// 4 KiB, what few small messages bring, for it is seldom held longer than until the next; whoever holds it longer
    /// makes it ``WebSocketMessage/detached``.
    private static func compact(_ content: ByteBuffer) -> ByteBuffer {
        content.storageCapacity > 4 << 10 ? content.detached : content
    }
}

// MARK: Whole messages

/// Most messages come in one frame and in one read: nothing of them is kept from one call to the next.
extension MessageAssembler {
    /// No message has begun.
    var isIdle: Bool { unfinished == nil }

    /// Whether the frame is a whole message, all of which is here.
    func isWhole(_ header: FrameHeader, in decoder: FrameDecoder) -> Bool {
        isIdle && header.fin && !header.rsv1 && header.opcode != .continuation
            && header.payloadLength <= limits.maxMessageBytes && decoder.hasWholePayload
    }

    /// That message.
    mutating func whole(
        _ header: FrameHeader, from decoder: inout FrameDecoder
    ) throws(WebSocketProtocolError) -> WebSocketMessage {
        if let slice = decoder.readWholePayload() {
            return header.opcode == .text ? .text(try Self.text(slice)) : .binary(Self.compact(slice))
        }
        guard header.opcode == .text else {
            var content = ByteBuffer()
            decoder.readPayload(into: &content)
            return .binary(content)
        }
        textBuffer.clear()
        decoder.readPayload(into: &textBuffer)
        defer { if textBuffer.storageCapacity > Self.maxKeptCapacity { textBuffer = ByteBuffer() } }
        return .text(try Self.text(textBuffer))
    }

    private static func text(_ content: ByteBuffer) throws(WebSocketProtocolError) -> String {
        let text = content.withUnsafeReadableBytes { String(validating: $0, as: UTF8.self) }
        guard let text else { throw .invalidText("a text message that is not UTF-8") }
        return text
    }
}
