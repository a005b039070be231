import CCurl
import Synchronization

/// What libcurl's callbacks write into and read from while one transfer runs.
///
/// Touched by the thread that runs the transfer, and by whoever set it up before and reads it afterwards.
final class CurlExchange {
    /// 32 KiB: more than any peer here sends in heads, far less than would hurt.
    private static let maxHeadBytes = 32 << 10

    /// Every head that came, the proxy's answers to CONNECT and interim ones included.
    private(set) var heads: [CurlHead] = []
    private var headBytes = 0
    var body = CurlBody()
    /// How much of the body is taken; what would go over it ends the transfer.
    var maxBodyBytes = Int.max
    var upload: CurlUpload?
    /// Ends the transfer when it is over.
    var deadline: CurlDeadline?

    /// Takes a piece of the body; false when it is more than was wanted.
    func takeBody(_ bytes: UnsafeRawBufferPointer) -> Bool {
        guard bytes.count <= self.maxBodyBytes - self.body.count else { return false }
        self.body.append(bytes)
        return true
    }

    /// Takes a header line; false when there are too many of them.
    func takeHeaderLine(_ bytes: UnsafeRawBufferPointer) -> Bool {
        self.headBytes += bytes.count
        guard self.headBytes <= Self.maxHeadBytes else { return false }
        var line = String(decoding: bytes, as: UTF8.self)
        while line.last?.isNewline == true { line.removeLast() }
        if line.hasPrefix("HTTP/") {
            self.heads.append(CurlHead(statusLine: line))
        } else if !line.isEmpty, !self.heads.isEmpty {
            self.heads[self.heads.count - 1].fields.append(line)
        }
        return true
    }
}

/// One response head.
struct CurlHead: Sendable, Hashable {
    var statusLine: String
    /// `Name: value`, as they came.
    var fields: [String] = []

    var status: Int? { self.statusLine.split(separator: " ").dropFirst().first.flatMap { Int($0) } }

    /// The first field of that name.
    subscript(_ name: String) -> String? {
        for field in self.fields {
            let parts = field.split(separator: ":", maxSplits: 1)
            guard parts.count == 2, parts[0].lowercased() == name.lowercased() else { continue }
            return String(parts[1].trimmingPrefix { $0 == " " || $0 == "\t" })
        }
        return nil
    }
}

/// A response body, as it went by.
struct CurlBody: Sendable, Hashable {
    /// 16 KiB: texts that are compared, and error pages.
    private static let maxStart = 16 << 10

    private(set) var count = 0
    private(set) var start: [UInt8] = []
    /// Where it first differs from ``PatternBytes``.
    private(set) var deviation: Int?

    var text: String { String(decoding: self.start, as: UTF8.self) }

    mutating func append(_ bytes: UnsafeRawBufferPointer) {
        if self.deviation == nil { self.deviation = PatternBytes.deviation(of: bytes, at: self.count) }
        self.start.append(contentsOf: bytes.prefix(Self.maxStart - self.start.count))
        self.count += bytes.count
    }
}

/// A request body that is being sent.
struct CurlUpload: Sendable, Hashable {
    let bytes: Int
    private var offset = 0

    init(bytes: Int) {
        self.bytes = bytes
    }

    /// How many bytes of the next piece were written.
    mutating func read(into buffer: UnsafeMutableRawBufferPointer) -> Int {
        let count = min(buffer.count, self.bytes - self.offset)
        guard count > 0 else { return 0 }
        PatternBytes.copy(to: UnsafeMutableRawBufferPointer(rebasing: buffer[..<count]), at: self.offset)
        self.offset += count
        return count
    }

    /// Starts again from there: a challenge may come when a part was sent.
    mutating func seek(to offset: Int) -> Bool {
        guard (0...self.bytes).contains(offset) else { return false }
        self.offset = offset
        return true
    }
}

/// Set by one thread, seen by another.
final class CurlFlag: Sendable {
    private let value = Atomic(false)

    var isSet: Bool { self.value.load(ordering: .relaxed) }

    func set() { self.value.store(true, ordering: .relaxed) }
}
