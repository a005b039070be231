package import NIOCore

/// What the client's bytes ask of whoever performs a ``ForwardMachine``.
package enum ForwardClientAction: Sendable, Hashable {
    case needMore
    /// Enough waits for its turn; read again once this exchange is over.
    case pauseReading
    /// Write to the origin.
    case send(ByteBuffer)
    /// Close the origin's connection; answer the client, or cut it when its answer has begun.
    case fail(ForwardFailure)
}

/// What the origin's bytes ask of whoever performs a ``ForwardMachine``.
package enum ForwardOriginAction: Sendable, Hashable {
    case needMore
    /// Write to the client.
    case send(ByteBuffer)
    /// Write to the client; the exchange is over.
    case finish(ByteBuffer, ForwardEnd)
    /// A real 101. Write `response` to the client; from here on it is a relay, which gets the bytes that both sides
    /// sent early.
    case tunnel(response: ByteBuffer, fromClient: ByteBuffer, fromOrigin: ByteBuffer, inputClosed: Bool)
    /// A reused connection was closed under a request that may be repeated: connect anew, then `originConnected`.
    case retry
    /// The parent wants credentials, by these `Proxy-Authenticate` lines: `originConnected` with an answer, or
    /// `failed`. `canRepeat` is false when too much of a body is gone to send it again; `keepsConnection` where its 407
    /// is read to the end and the same connection can carry the answer, otherwise it takes a new one.
    case challenged([String], canRepeat: Bool, keepsConnection: Bool)
    /// The parent did not ask for what was offered ahead of a body: `originConnected` without credentials, on the same
    /// connection where it is kept.
    case offerIgnored(keepsConnection: Bool)
    /// As with the client's bytes.
    case fail(ForwardFailure)
}

/// How an exchange ended that the origin answered.
package struct ForwardEnd: Sendable, Hashable {
    /// What becomes of the origin's connection.
    package enum Origin: Sendable, Hashable {
        case close
        /// For the pool.
        case reusable
        /// It is authenticated for this client: only for its next request.
        case bound
    }

    package let origin: Origin
    package let keepsClient: Bool
    /// What the client sent behind this request: its next one.
    package let leftover: ByteBuffer
    /// The client sent its FIN.
    package let inputClosed: Bool
}

/// An exchange that came to no good end.
package enum ForwardFailure: Sendable, Hashable {
    /// Nothing of an answer has gone out: this one does. The connection may persist when the request is read to its
    /// end, with what the client sent behind it.
    case refuse(Rejection, leftover: ByteBuffer, inputClosed: Bool, mayPersist: Bool)
    /// The client must see that its answer is incomplete: close without the end of its framing, by a reset where only
    /// the close would tell the end.
    case cut(reason: String, byReset: Bool)
}
