/// What one side wants of permessage-deflate (RFC 7692), the same for a client and a server.
///
/// A number outside its range is taken as the nearest inside it.
public struct WebSocketDeflateOptions: Sendable, Hashable {
    /// 1 (fastest) to 9 (smallest) for what is sent. 6: zlib's own choice.
    public var level = 6 { didSet { level = Self.clamp(level, 1, 9) } }
    /// 1 to 9: how much memory zlib takes to find repetitions in what is sent, `2^(memoryLevel + 9)` bytes.
    /// 8: zlib's own choice, 128 KiB.
    public var memoryLevel = 8 { didSet { memoryLevel = Self.clamp(memoryLevel, 1, 9) } }
    /// Shorter messages are sent plain, in bytes. 256: below, the frame fits the same packet either way, and zlib
    /// takes its microseconds all the same.
    public var threshold = 256 { didSet { threshold = max(0, threshold) } }

    /// 8 to 15: what is sent refers back over at most 2 to this power bytes; it takes `2^(bits + 2)` bytes here
    /// and `2^bits` at the peer. 15: what everyone takes.
    public var outgoingWindowBits = 15 {
        didSet { outgoingWindowBits = Self.clamp(outgoingWindowBits, 8, 15) }
    }
    /// 8 to 15: the same for what is received. A client demands it: a server that does not know how declines to
    /// compress. A server can ask it only of a client that offers it; another one keeps to 15.
    public var incomingWindowBits = 15 {
        didSet { incomingWindowBits = Self.clamp(incomingWindowBits, 8, 15) }
    }
    /// A message that is sent may refer back to the ones before it ("context takeover"): smaller, but the memory is
    /// held as long as the connection.
    public var keepsOutgoingContext = true
    /// The same for what is received. The peer is told when it may not.
    public var keepsIncomingContext = true

    /// How many bytes of a message one byte on the wire may stand for, once the message is over ``ratioFreeBytes``;
    /// beyond it the connection is closed with 1009. Nil: as many as the message limit allows. 100: text and
    /// records shrink to a fifth or a thirtieth, deflate at its utmost to a thousandth; only a bomb is that empty
    /// for that long.
    public var maxRatio: Int? = 100 { didSet { maxRatio = maxRatio.map { max(1, $0) } } }
    /// The part of a message whose ratio does not matter, in bytes. 16 MiB: the default limit of a message, which
    /// is what everyone may cost us; the ratio guards those who raise that limit.
    public var ratioFreeBytes = 16 << 20 { didSet { ratioFreeBytes = max(0, ratioFreeBytes) } }

    /// The defaults.
    public init() {}

    /// The defaults, changed by `configure`.
    public init(_ configure: (inout Self) -> Void) {
        self.init()
        configure(&self)
    }

    private static func clamp(_ value: Int, _ low: Int, _ high: Int) -> Int { min(high, max(low, value)) }
}
