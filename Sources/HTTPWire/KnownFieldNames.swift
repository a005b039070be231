internal import HTTPTypes

/// The names that most field lines have, ready made: to check one, copy it and lower its case is most of what a head
/// costs.
enum KnownFieldNames {
    /// The name, where it is spelled as everybody does.
    static func find(_ bytes: UnsafeRawBufferPointer) -> HTTPField.Name? {
        guard bytes.count < byLength.count else { return nil }
        for known in byLength[bytes.count] where known.spelling.elementsEqual(bytes) { return known.name }
        return nil
    }

    private struct Known: Sendable {
        let spelling: [UInt8]
        let name: HTTPField.Name
    }

    private static let byLength: [[Known]] = {
        let names = spellings.map { Known(spelling: Array($0.utf8), name: HTTPField.Name(literal: $0)) }
        let longest = names.map(\.spelling.count).max() ?? 0
        return (0...longest).map { length in names.filter { $0.spelling.count == length } }
    }()

    private static let spellings = [
        "Accept", "Accept-Encoding", "Accept-Language", "Accept-Ranges", "Age", "Authorization",
        "Cache-Control",
        "Connection", "Content-Encoding", "Content-Length", "Content-Type", "Cookie", "Date", "ETag",
        "Expires", "Host",
        "If-Modified-Since", "If-None-Match", "Keep-Alive", "Last-Modified", "Location", "Origin", "Pragma",
        "Proxy-Authorization", "Proxy-Connection", "Range", "Referer", "Server", "Set-Cookie",
        "Strict-Transport-Security", "Transfer-Encoding", "Upgrade-Insecure-Requests", "User-Agent", "Vary",
        "Via",
    ]
}
