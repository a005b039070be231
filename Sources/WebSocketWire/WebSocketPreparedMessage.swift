internal import NIOCore
internal import Synchronization

/// A message to send to many: its frame is made once, and so is its compression for each setting in use.
///
/// A server's frames are the same for every connection, and connections share the bytes. A client's are masked with
/// a key of their own, as they must be (RFC 6455 §5.3); they share the compression.
public final class WebSocketPreparedMessage: Sendable {
    /// What is sent.
    public let message: WebSocketMessage

    let opcode: WebSocketOpcode
    /// The message's bytes, plain.
    let payload: ByteBuffer

    private struct Shared {
        /// Whole frames of a server, plain and compressed.
        var frames: [Deflater.Settings?: ByteBuffer] = [:]
        var payloads: [Deflater.Settings: ByteBuffer] = [:]
    }

    // Held while a frame is made, so that of many connections one makes it.
    private let shared = Mutex(Shared())

    /// Prepares a message. The work is done when it is first sent.
    public init(_ message: WebSocketMessage) {
        self.message = message
        switch message {
        case .text(let text): (opcode, payload) = (.text, ByteBuffer(string: text))
        case .binary(let bytes): (opcode, payload) = (.binary, bytes)
        }
    }

    /// A server's frame.
    ///
    /// - Parameter settings: compresses; nil when there is no memory for that, and for a plain frame.
    func frame(_ settings: Deflater.Settings?) -> ByteBuffer? {
        shared.withLock { shared in
            if let frame = shared.frames[settings] { return frame }
            guard let payload = self.payload(settings, in: &shared) else { return nil }
            var frame = ByteBuffer()
            writeFrame(opcode: opcode, rsv1: settings != nil, payload: payload, maskKey: nil, into: &frame)
            shared.frames[settings] = frame
            return frame
        }
    }

    /// What a frame carries.
    func payload(_ settings: Deflater.Settings?) -> ByteBuffer? {
        shared.withLock { self.payload(settings, in: &$0) }
    }

    private func payload(_ settings: Deflater.Settings?, in shared: inout Shared) -> ByteBuffer? {
        guard let settings else { return payload }
        if let known = shared.payloads[settings] { return known }
        guard let deflater = DeflaterPool.shared.take(settings) else { return nil }
        defer { DeflaterPool.shared.giveBack(deflater) }
        let encoded = PerMessageDeflate.compressedMessage(payload, by: deflater)
        shared.payloads[settings] = encoded
        return encoded
    }
}
