package import Foundation

/// A fresh directory that goes, with all in it, when this object does.
package final class ScratchDirectory: Sendable {
    package let url: URL

    /// - Throws: `CocoaError` or `POSIXError` when there is no room for it.
    package init(_ name: String) throws {
        let template = FileManager.default.temporaryDirectory.appendingPathComponent("\(name).XXXXXX").path
        var path = Array(template.utf8CString)
        guard mkdtemp(&path) != nil else { throw POSIXError(POSIXErrorCode(rawValue: errno) ?? .EIO) }
        self.url = URL(
            fileURLWithPath: String(decoding: path.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self))
        // Daemons that run as nobody come through here.
        chmod(self.url.path, 0o755)
    }

    deinit { try? FileManager.default.removeItem(at: self.url) }

    /// A directory in it that every user may write: what runs here is on loopback and thrown away.
    package func directory(_ name: String) throws -> URL {
        let url = self.url.appendingPathComponent("\(name).\(UInt32.random(in: .min ... .max))")
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: false)
        chmod(url.path, 0o777)
        return url
    }
}
