package import NIOCore

/// permessage-deflate on one connection (RFC 7692), both directions.
///
/// A value like any other: zlib's contexts are objects that copies share until one of them compresses or inflates,
/// which then takes its own (`deflateCopy`, `inflateCopy`). An object frees its context when its last holder goes,
/// so a copied machine can neither free twice nor disturb the other. A machine that is moved copies nothing.
///
/// A context is made when the first message needs it. Without context takeover it is given back behind each message:
/// between messages such a connection holds none.
package struct PerMessageDeflate: PayloadTransform {
    /// What both sides agreed to.
    package let parameters: WebSocketDeflateParameters
    private let options: WebSocketDeflateOptions
    private let outgoing: Direction
    private let incoming: Direction
    private(set) var deflater: Deflater?
    private(set) var inflater: Inflater?
    private var settings: Deflater.Settings {
        Deflater.Settings(
            level: options.level, windowBits: min(outgoing.windowBits, options.outgoingWindowBits),
            memoryLevel: options.memoryLevel)
    }

    /// Bytes on the wire of the message that is being received.
    private var received = 0
    /// What they stood for.
    private var produced = 0

    private struct Direction {
        let windowBits: Int
        let keepsContext: Bool
    }

    /// What an empty block without compression ends with: cut off behind each message, and put back (§7.2.1, §7.2.2).
    private static let tail: [UInt8] = [0x00, 0x00, 0xFF, 0xFF]

    init(role: WebSocketRole, _ parameters: WebSocketDeflateParameters, options: WebSocketDeflateOptions) {
        let server = Direction(
            windowBits: parameters.serverMaxWindowBits, keepsContext: !parameters.serverNoContextTakeover)
        let client = Direction(
            windowBits: parameters.clientMaxWindowBits, keepsContext: !parameters.clientNoContextTakeover)
        let isClient = role == .client
        self.parameters = parameters
        self.options = options
        self.outgoing = isClient ? client : server
        self.incoming = isClient ? server : client
    }

    // MARK: Receiving

    package mutating func decode(
        _ piece: ByteBuffer, isLast: Bool, limit: Int, into message: inout ByteBuffer
    ) throws(WebSocketProtocolError) {
        received += piece.readableBytes
        let before = message.readableBytes
        if piece.readableBytes > 0 {
            let inflater = try ownInflater()
            // The message may have been taken out of the buffer in part.
            let bound = ratioBound == .max ? .max : ratioBound - produced + before
            let outcome = piece.withUnsafeReadableBytes {
                inflater.inflate($0, limit: min(limit, bound), into: &message)
            }
            try check(outcome, limit: limit, ratioBound: bound)
            produced += message.readableBytes - before
        }
        if isLast { try endMessage(limit: limit, into: &message) }
    }

    /// Puts the tail back. Where it would not belong, it is left away: behind a payload of no bytes, which stands for
    /// an empty message; behind a final block, after which a sender should have put one more byte (§7.2.3.4); behind
    /// a sender that forgot to cut it off.
    private mutating func endMessage(limit: Int, into message: inout ByteBuffer)
        throws(WebSocketProtocolError)
    {
        received = 0
        produced = 0
        guard inflater != nil else { return }
        let inflater = try ownInflater()
        if !inflater.isBetweenBlocks {
            let outcome = Self.tail.withUnsafeBytes { inflater.inflate($0, limit: limit, into: &message) }
            try check(outcome, limit: limit, ratioBound: .max)
            guard inflater.isBetweenBlocks else { throw Self.malformed }
        }
        if !incoming.keepsContext { self.inflater = nil }
    }

    /// How large the message may be for what came of it.
    private var ratioBound: Int {
        guard let ratio = options.maxRatio else { return .max }
        let (bound, overflows) = received.multipliedReportingOverflow(by: ratio)
        return overflows ? .max : max(bound, options.ratioFreeBytes)
    }

    private func check(
        _ outcome: Inflater.Outcome, limit: Int, ratioBound: Int
    ) throws(WebSocketProtocolError) {
        switch outcome {
        case .done: return
        case .full where ratioBound < limit:
            throw .tooBig("a message that inflates to more than \(options.maxRatio ?? 0) times its size")
        case .full: throw .tooBig("a message of more than \(limit) bytes, inflated")
        case .malformed: throw Self.malformed
        case .noMemory: throw Self.noMemory
        }
    }

    private static let malformed = WebSocketProtocolError(
        closeCode: .invalidPayload, detail: "a compressed message that cannot be inflated")
    private static let noMemory = WebSocketProtocolError(
        closeCode: .internalError, detail: "no memory to inflate a message")

    private mutating func ownInflater() throws(WebSocketProtocolError) -> Inflater {
        if inflater == nil {
            // 9 for 8: zlibs before 1.2.9 made 9 of an agreed 8 in silence, and it costs 256 bytes.
            inflater = Inflater(windowBits: max(9, incoming.windowBits))
        } else if !isKnownUniquelyReferenced(&inflater) {
            inflater = inflater?.copy()
        }
        guard let inflater else { throw Self.noMemory }
        return inflater
    }

    // MARK: Sending

    package mutating func shouldEncode(byteCount: Int?) -> Bool {
        if let byteCount, byteCount < options.threshold { return false }
        return prepareDeflater()
    }

    package mutating func encode(_ piece: ByteBuffer, isLast: Bool) -> ByteBuffer {
        guard prepareDeflater(), let deflater else { preconditionFailure("no memory for zlib") }
        let output = isLast ? Self.compressedMessage(piece, by: deflater) : deflater.compress(piece)
        guard isLast else { return output }
        if !outgoing.keepsContext {
            self.deflater = nil
            DeflaterPool.shared.giveBack(deflater)
        }
        return output
    }

    /// The end of a message as it stands on the wire, or the whole of it.
    static func compressedMessage(_ bytes: ByteBuffer, by deflater: Deflater) -> ByteBuffer {
        var output = deflater.compress(bytes)
        if output.readableBytes > 0 {
            output.moveWriterIndex(to: output.writerIndex - tail.count)
        } else {
            // §7.2.3.6: an empty block without compression. zlib stands at the end of a byte, where it belongs.
            output.writeInteger(UInt8(0))
        }
        return output
    }

    /// How a message is compressed that many connections send; nil for one that goes plain.
    func settingsForShared(byteCount: Int) -> Deflater.Settings? {
        byteCount < options.threshold ? nil : settings
    }

    /// A message went out that this side's compressor has not seen. The peer's window holds it now; a compressor that
    /// forgets everything refers to nothing before it, and so to nothing wrong.
    mutating func sentShared() {
        if isKnownUniquelyReferenced(&deflater) { deflater?.reset() } else { deflater = nil }
    }

    /// False when there is no memory: a message can still go plain.
    private mutating func prepareDeflater() -> Bool {
        if deflater == nil {
            deflater = outgoing.keepsContext ? Deflater(settings) : DeflaterPool.shared.take(settings)
        } else if !isKnownUniquelyReferenced(&deflater) {
            // Copied before the other's message began, or inside it: the copy goes on from the same state.
            deflater = deflater?.copy()
        }
        return deflater != nil
    }
}
