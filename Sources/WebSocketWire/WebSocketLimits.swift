/// How much of a peer's traffic one connection takes on before it gives up with 1009 or 1008.
///
/// Memory follows the bytes that came, never the length a header promises.
public struct WebSocketLimits: Sendable, Hashable {
    /// The largest message in bytes, all fragments together and after decompression.
    /// 16 MiB: Autobahn's largest case; Node's ws takes 100, Python's websockets 1, Jetty 64 KiB.
    public var maxMessageBytes: Int = 16 << 20
    /// The largest single frame in bytes, as sent. No limit of its own: a frame counts against its message as soon
    /// as its head names a length, and whoever raises the limit of messages need not think of frames.
    public var maxFrameBytes: Int = .max
    /// The most frames one message may come in. 262,144: 16 MiB in pieces of 64 bytes, four times what Autobahn's
    /// most fragmented case sends. Fragments cost no memory here, only time, so the bound is against a message
    /// of empty frames that never ends.
    public var maxFragments: Int = 1 << 18

    /// The defaults.
    public init() {}

    /// The defaults, changed by `configure`.
    public init(_ configure: (inout Self) -> Void) {
        self.init()
        configure(&self)
    }
}
