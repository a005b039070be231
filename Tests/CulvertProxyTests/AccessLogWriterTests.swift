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

    @Test("a line reaches the file soon, whether or not others follow", .timeLimit(.minutes(1)))
    func soon() async throws {
        let path = NSTemporaryDirectory() + "culvert-\(UUID().uuidString).log"
        defer { try? FileManager.default.removeItem(atPath: path) }
        let writer = try AccessLogWriter(path: path)
        for count in 1...3 {
            writer.write(AccessLogEntry())
            while try String(contentsOfFile: path, encoding: .utf8).split(separator: "\n").count < count {
                try await Task.sleep(for: .milliseconds(5))
            }
        }
    }

    @Test("what comes while too many lines wait is counted, and a line says how many are missing")
    func dropped() throws {
        // A pipe that nobody reads holds the writer up with whatever it has in hand.
        let pipe = Pipe()
        let writer = AccessLogWriter(to: pipe.fileHandleForWriting)
        for _ in 0..<1000 { writer.write(AccessLogEntry()) }
        Thread.sleep(forTimeInterval: 0.2)
        for _ in 0..<10_500 { writer.write(AccessLogEntry()) }
        let lines = Mutex(Data())
        let hasRead = DispatchSemaphore(value: 0)
        DispatchQueue.global().async {
            let all = try? pipe.fileHandleForReading.readToEnd()
            lines.withLock { $0 = all ?? Data() }
            hasRead.signal()
        }
        writer.flush()
        try pipe.fileHandleForWriting.close()
        hasRead.wait()
        let text = lines.withLock { String(decoding: $0, as: UTF8.self) }.split(separator: "\n")
        let notices = text.filter { $0.contains("droppedLines") }
        #expect(
            text.count - notices.count + notices.reduce(0) { $0 + (Int($1.filter(\.isNumber)) ?? 0) }
                == 11_500)
        #expect(notices.count == 1)
    }

    @Test("after a rotation the next line goes to the new file, the lines before stay in the old")
    func rotation() throws {
        let path = NSTemporaryDirectory() + "culvert-\(UUID().uuidString).log"
        defer { for suffix in ["", ".1"] { try? FileManager.default.removeItem(atPath: path + suffix) } }
        let writer = try AccessLogWriter(path: path, format: .squid)
        var entry = AccessLogEntry()
        for status in 1...10 {
            entry.status = status
            writer.write(entry)
        }
        try FileManager.default.moveItem(atPath: path, toPath: path + ".1")
        writer.reopen()
        entry.status = 11
        writer.write(entry)
        writer.flush()
        let old = try String(contentsOfFile: path + ".1", encoding: .utf8).split(separator: "\n")
        let new = try String(contentsOfFile: path, encoding: .utf8).split(separator: "\n")
        #expect(old.count == 10)
        #expect(new.count == 1)
        #expect(new.first?.contains("NONE_NONE/011") == true)
    }

    @Test("a rotation that fails is told, and the old file goes on")
    func failedRotation() throws {
        let directory = NSTemporaryDirectory() + "culvert-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: false)
        defer {
            for suffix in ["", ".1"] { try? FileManager.default.removeItem(atPath: directory + suffix) }
        }
        let failures = Mutex(0)
        let writer = try AccessLogWriter(
            path: directory + "/log", onFailure: { _ in failures.withLock { $0 += 1 } })
        try FileManager.default.moveItem(atPath: directory, toPath: directory + ".1")
        writer.reopen()
        writer.write(AccessLogEntry())
        writer.flush()
        #expect(failures.withLock { $0 } == 1)
        #expect(try String(contentsOfFile: directory + ".1/log", encoding: .utf8).contains("\"status\":0"))
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
