import Foundation

/// Reads the files that settings name, with the system's words for what fails.
enum TextFile {
    struct Failure: Error, CustomStringConvertible {
        let description: String
    }

    /// A file of users has some 60 bytes a line: 16 MiB are a quarter of a million of them.
    private static let maxBytes = 16 << 20

    static func read(_ path: String) throws(Failure) -> String {
        guard access(path, R_OK) == 0 else { throw Failure(description: String(cString: strerror(errno))) }
        let data: Data
        do {
            let file = try FileHandle(forReadingFrom: URL(fileURLWithPath: path))
            data = try file.read(upToCount: self.maxBytes + 1) ?? Data()
        } catch {
            throw Failure(description: error.localizedDescription)
        }
        guard data.count <= self.maxBytes else { throw Failure(description: "has more than 16 MiB") }
        guard let text = String(validating: data, as: UTF8.self) else {
            throw Failure(description: "is not UTF-8")
        }
        return text
    }
}
