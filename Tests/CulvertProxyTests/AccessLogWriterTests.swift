import CulvertProxy
import Foundation
import Synchronization
import Testing

@Suite("The access log's writer")
struct AccessLogWriterTests {
    @Test("lines reach the file in order")
    func order() throws {
        let path = NSTemporaryDirectory() + "culvert-\(UUID().uuidString).log"
        defer { try? FileManager.default.removeItem(atPath: path) }
        let writer = try AccessLogWriter(path: path)
        for status in 0..<100 {
            var entry = AccessLogEntry()
            entry.status = status
            writer.write(entry)
        }
        writer.flush()
        let lines = try String(contentsOfFile: path, encoding: .utf8).split(separator: "\n")
        #expect(lines.count == 100)
        #expect(lines.enumerated().allSatisfy { $1.contains("\"status\":\($0),") })
    }

    @Test(
        "a file that cannot be written is told once",
        .enabled(if: FileManager.default.fileExists(atPath: "/dev/full")))
    func full() throws {
        let failures = Mutex(0)
        let writer = try AccessLogWriter(path: "/dev/full", onFailure: { _ in failures.withLock { $0 += 1 } })
        for _ in 0..<3 { writer.write(AccessLogEntry()) }
        writer.flush()
        #expect(failures.withLock { $0 } == 1)
    }

    @Test("a path that cannot be opened is an error at once")
    func unopenable() {
        #expect(throws: (any Error).self) { try AccessLogWriter(path: "/nonexistent/access.log") }
    }
}
