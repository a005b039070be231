import Synchronization

#if canImport(Darwin)
    import Darwin
#elseif canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// Masking keys for outgoing frames (RFC 6455 §5.3: fresh and unpredictable for each), drawn from the system's
/// generator many at a time, because each draw is a system call.
final class MaskingKeys: Sendable {
    /// As many as one `getentropy` call may give: 256 bytes.
    private static let batch = 64

    // A lock that nobody contends: a connection's frames are made on its event loop.
    private let keys = Mutex<[UInt32]>([])

    func next() -> UInt32 {
        self.keys.withLock { keys in
            if let key = keys.popLast() { return key }
            keys = Self.draw()
            return keys.removeLast()
        }
    }

    private static func draw() -> [UInt32] {
        var keys = [UInt32](repeating: 0, count: Self.batch)
        let isFilled = keys.withUnsafeMutableBytes { buffer in
            guard let start = buffer.baseAddress else { return false }
            #if canImport(Darwin)
                arc4random_buf(start, buffer.count)
                return true
            #else
                return getentropy(start, buffer.count) == 0
            #endif
        }
        if isFilled { return keys }
        var generator = SystemRandomNumberGenerator()
        return keys.map { _ in UInt32.random(in: .min ... .max, using: &generator) }
    }
}
