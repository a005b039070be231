import Foundation
import ProxyRoutes

/// A script in a file.
enum PACFile {
    static func read(_ path: String, _ source: ProxyScriptSource) throws(ProxyScriptError) -> [UInt8] {
        let data: Data
        do {
            guard access(path, R_OK) == 0 else {
                throw ProxyScriptError(.unreadable, source, String(cString: strerror(errno)))
            }
            let file = try FileHandle(forReadingFrom: URL(fileURLWithPath: path))
            data = try file.read(upToCount: PACText.maxBytes + 1) ?? Data()
        } catch let error as ProxyScriptError {
            throw error
        } catch {
            throw ProxyScriptError(.unreadable, source, error.localizedDescription)
        }
        guard data.count <= PACText.maxBytes else {
            throw ProxyScriptError(.unreadable, source, "has more than 1 MiB")
        }
        return Array(data)
    }
}

/// What a file looked like, to tell that it has changed.
struct FileStamp: Hashable {
    private let inode: UInt64
    private let size: Int64
    private let seconds: Int
    private let nanoseconds: Int

    init?(_ path: String) {
        var info = stat()
        guard stat(path, &info) == 0 else { return nil }
        #if canImport(Darwin)
            let changed = info.st_mtimespec
        #else
            let changed = info.st_mtim
        #endif
        self.inode = UInt64(info.st_ino)
        self.size = Int64(info.st_size)
        self.seconds = changed.tv_sec
        self.nanoseconds = changed.tv_nsec
    }
}
