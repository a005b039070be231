package import NIOCore

/// The seam for an extension that rewrites whole messages and marks them with reserved bit 1, as
/// permessage-deflate does (RFC 6455 §9, RFC 7692). One value serves both directions of one connection.
package protocol PayloadTransform: Sendable {
    /// Takes a piece of a marked message off the wire and appends what it stands for to `message`.
    ///
    /// - Parameters:
    ///   - piece: unmasked payload; may be empty.
    ///   - isLast: the message ends with this piece.
    ///   - limit: how large `message` may get, in bytes. Going over throws 1009 *while* decoding: a megabyte on the
    ///     wire can stand for a gigabyte.
    mutating func decode(
        _ piece: ByteBuffer, isLast: Bool, limit: Int, into message: inout ByteBuffer
    ) throws(WebSocketProtocolError)

    /// Whether a message of this size is worth marking; asked once, at its start. The size of a message that is
    /// sent in fragments is not known.
    mutating func shouldEncode(byteCount: Int?) -> Bool

    /// What goes onto the wire for a piece of a marked message.
    mutating func encode(_ piece: ByteBuffer, isLast: Bool) -> ByteBuffer
}
