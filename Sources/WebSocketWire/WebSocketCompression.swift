/// Whether messages are compressed on their way (RFC 7692).
///
/// Off unless asked for. Compression tells the length of what it shortens: whoever can put text of their own beside
/// a secret in one connection and watch the size of the frames can guess the secret, TLS or not (the CRIME attack).
/// And it costs more than all the rest of a message: some 50 times the CPU and 300 KB of memory for a connection.
public enum WebSocketCompression: Sendable, Hashable {
    /// Compression is not offered, and a client's offer is not taken.
    case disabled
    /// permessage-deflate is offered or accepted. Where the other side does not want it, messages go plain.
    case deflate(WebSocketDeflateOptions = WebSocketDeflateOptions())
}
