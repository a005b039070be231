import NIOCore

/// Bytes at which a flow stops and at which it goes on again.
public struct WebSocketWatermarks: Sendable, Hashable {
    /// The flow goes on once no more than this is waiting.
    public var low: Int
    /// The flow stops once more than this is waiting.
    public var high: Int

    /// Watermarks in bytes; `low` is at most `high`.
    public init(low: Int, high: Int) {
        self.low = min(low, high)
        self.high = high
    }

    /// As NIO takes them: no mark below 1.
    var ofChannel: ChannelOptions.Types.WriteBufferWaterMark {
        .init(low: max(1, min(self.low, self.high)), high: max(1, self.high))
    }
}
