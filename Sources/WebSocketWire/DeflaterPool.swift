internal import Synchronization

/// Compressors that no message holds, for connections without context takeover: those need one only while a message
/// is compressed, so that a few serve any number of connections. Making one costs some 50 µs, clearing one 1 µs.
///
/// The one thing in this layer that connections share. Nothing of a message is left in it.
final class DeflaterPool: Sendable {
    static let shared = DeflaterPool()

    // Taken and given back once a message: nobody waits for long.
    private let idle = Mutex<[Deflater]>([])

    /// 8: one for each thread that sends at the same time, 256 KiB each with the usual settings.
    static let maxIdle = 8

    /// How many wait to be used again.
    var idleCount: Int { idle.withLock { $0.count } }

    /// One that is as good as new; nil when there is no memory.
    func take(_ settings: Deflater.Settings) -> Deflater? {
        let found = idle.withLock { idle in
            idle.lastIndex { $0.settings == settings }.map { idle.remove(at: $0) }
        }
        return found ?? Deflater(settings)
    }

    /// Takes one back of which the caller keeps no reference. Too many idle ones: the one that waited longest goes.
    func giveBack(_ deflater: Deflater) {
        deflater.reset()
        let surplus = idle.withLock { idle in
            idle.append(deflater)
            return idle.count > Self.maxIdle ? idle.removeFirst() : nil
        }
        // Freed here, outside the lock.
        _ = surplus
    }
}
