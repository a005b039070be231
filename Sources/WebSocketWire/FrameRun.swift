/// Finds small masked frames that lie whole in received bytes, one after the other.
///
/// Only their shape is looked at. Whether they keep the rules is checked when each has its turn.
struct FrameRun {
    /// 1 KiB: a larger payload is unmasked on its way into its own buffer, without another copy.
    private static let maxPayload = 1 << 10

    private let bytes: UnsafeRawBufferPointer
    private var position = 0

    init(_ bytes: UnsafeRawBufferPointer) {
        self.bytes = bytes
    }

    /// Where the payload of the next frame lies, and its key; nil behind the last.
    mutating func next() -> (payload: Range<Int>, key: UInt32)? {
        let rest = bytes.count - position
        guard rest >= 6, bytes[position + 1] & 0x80 != 0 else { return nil }
        var length = Int(bytes[position + 1] & 0x7F)
        var head = 6
        if length == 126, rest >= 8 {
            length = Int(bytes[position + 2]) << 8 | Int(bytes[position + 3])
            head = 8
        } else if length > 125 {
            return nil
        }
        guard length <= Self.maxPayload, rest >= head + length else { return nil }
        let start = position + head
        let key = bytes.loadUnaligned(fromByteOffset: start - 4, as: UInt32.self)
        position = start + length
        return (start..<position, UInt32(bigEndian: key))
    }

    /// Whether there is any.
    static func begins(_ bytes: UnsafeRawBufferPointer) -> Bool {
        var run = FrameRun(bytes)
        return run.next() != nil
    }

    /// Unmasks them in place. Returns how many bytes they take, heads included.
    static func unmask(_ bytes: UnsafeMutableRawBufferPointer) -> Int {
        var run = FrameRun(UnsafeRawBufferPointer(bytes))
        while let (payload, key) = run.next() {
            Masking.apply(key: key, to: UnsafeMutableRawBufferPointer(rebasing: bytes[payload]))
        }
        return run.position
    }
}
