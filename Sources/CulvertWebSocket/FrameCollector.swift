import NIOCore

/// Collects small frames on their way to the channel: one buffer costs less than many, and its memory is used again.
struct FrameCollector {
    /// Where frames are appended.
    var bytes: ByteBuffer {
        get { self.buffer }
        _modify {
            if self.isTaken { self.startOver() }
            yield &self.buffer
        }
    }

    private var buffer = ByteBuffer()
    /// What is in the buffer belongs to the channel.
    private var isTaken = false
    private let most: Int

    /// 16 KiB: beyond it, a copy costs more than another piece for the socket does.
    private static let worthJoining = 16 << 10
    /// 4 KiB: a larger buffer is given back; thousands of idle connections keep one each.
    private static let worthKeeping = 4 << 10

    /// - Parameter most: so many bytes may wait outside the channel, which does not count them.
    init(most: Int) {
        self.most = min(most, Self.worthJoining)
    }

    /// It is time to ``take()``.
    var isFull: Bool { !self.isTaken && self.buffer.readableBytes >= self.most }

    /// What was collected, for the channel; nil when there is nothing.
    mutating func take() -> ByteBuffer? {
        guard !self.isTaken, self.buffer.readableBytes > 0 else { return nil }
        self.isTaken = true
        return self.buffer
    }

    /// By now the channel has most often written what it took, and its memory is ours alone.
    private mutating func startOver() {
        self.isTaken = false
        if self.buffer.storageCapacity > Self.worthKeeping {
            self.buffer = ByteBuffer()
        } else {
            self.buffer.clear()
        }
    }
}
