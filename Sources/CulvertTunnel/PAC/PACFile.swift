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
