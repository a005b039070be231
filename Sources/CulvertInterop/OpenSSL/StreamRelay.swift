/// Carries bytes both ways between two streams until both directions have ended.
struct StreamRelay {
    /// 256 KiB: past that the side that sends is not read until the other has taken some.
    private static let maxPending = 256 << 10

    private let left: DuplexStream
    private let right: DuplexStream
    private var leftEnded = false
    private var rightEnded = false

    /// Returns when both sides have ended and got all; throws when one breaks, or nothing moves for the left's
    /// patience. An end without close_notify counts as one.
    static func run(between left: DuplexStream, and right: DuplexStream) throws {
        var relay = StreamRelay(left, right)
        while try relay.step() {}
    }

    private init(_ left: DuplexStream, _ right: DuplexStream) {
        self.left = left
        self.right = right
    }

    /// Moves what there is, or waits until there is something; false at the end.
    private mutating func step() throws -> Bool {
        let leftReads = leftMayRead
        let rightReads = rightMayRead
        var moved = false
        if leftReads { moved = try Self.move(from: left, to: right, ended: &leftEnded) }
        if rightReads { moved = try Self.move(from: right, to: left, ended: &rightEnded) || moved }
        let areFlushed = (try left.flushNow(), try right.flushNow())
        if leftEnded, rightEnded, areFlushed == (true, true) { return false }
        // Room that the flush made is a reason to look again: the bytes may be here already, decrypted.
        let hasRoom = (!leftReads && leftMayRead) || (!rightReads && rightMayRead)
        if moved || hasRoom { return true }
        try left.stopSignal.wait(
            for: [left.interest(toRead: leftReads), right.interest(toRead: rightReads)],
            until: .now + left.patience)
        return true
    }

    private var leftMayRead: Bool { !leftEnded && right.pendingBytes < Self.maxPending }
    private var rightMayRead: Bool { !rightEnded && left.pendingBytes < Self.maxPending }

    /// Whether there was something to move.
    private static func move(
        from source: DuplexStream, to target: DuplexStream, ended: inout Bool
    ) throws -> Bool {
        switch try source.receiveNow() {
        case .bytes(let bytes):
            try target.queue(bytes)
        case .end:
            ended = true
            target.queueEnd()
        case .nothingYet:
            return false
        }
        return true
    }
}
