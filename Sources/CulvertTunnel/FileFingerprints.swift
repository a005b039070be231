#if canImport(Darwin)
    import Darwin
#elseif canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// What a set of files looked like, to tell that one has changed: edited, replaced, or reached by another link, as a
/// cluster's mounted secrets are.
public struct FileFingerprints: Sendable, Hashable {
    private struct Fingerprint: Sendable, Hashable {
        let device: UInt64
        let inode: UInt64
        let size: Int64
        let seconds: Int
        let nanoseconds: Int
    }

    private let files: [String: Fingerprint]

    /// Looks at the files as they are now; one that is missing has none.
    public init(of paths: [String]) {
        var files: [String: Fingerprint] = [:]
        for path in paths {
            var info = stat()
            guard stat(path, &info) == 0 else { continue }
            #if canImport(Darwin)
                let changed = info.st_mtimespec
            #else
                let changed = info.st_mtim
            #endif
            files[path] = Fingerprint(
                device: UInt64(truncatingIfNeeded: info.st_dev), inode: UInt64(info.st_ino),
                size: Int64(info.st_size), seconds: changed.tv_sec, nanoseconds: changed.tv_nsec)
        }
        self.files = files
    }
}
