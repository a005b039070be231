import CulvertInterop
import Foundation
import Testing

@Suite("child processes")
struct ChildProcessTests {
    @Test("children that are started at once inherit nothing of each other, nor of us", .enabled(if: isLinux))
    func simultaneous() async throws {
        // Threads, not tasks: as many as there are processors would seldom meet.
        let found = Locked<[String]>([])
        let running = Locked(16)
        for _ in 0..<16 {
            Thread.detachNewThread {
                defer { running.withLock { $0 -= 1 } }
                do {
                    // Kept: the numbers of descriptors grow all the time.
                    let children = try (0..<20).map { _ in try ChildProcess(["cat"], input: .open) }
                    for child in children {
                        let inherited = try Self.inherited(by: child)
                        found.withLock { $0 += inherited }
                        child.closeInput()
                    }
                } catch {
                    found.withLock { $0.append("\(error)") }
                }
            }
        }
        try await eventually("all have been started", within: .seconds(60)) { running.withLock { $0 } == 0 }
        #expect(found.withLock { $0 } == [])
    }

    /// Pipes and sockets besides its three streams. What it opens itself is neither.
    private static func inherited(by child: ChildProcess) throws -> [String] {
        let files = FileManager.default
        let folder = "/proc/\(child.pid)/fd"
        return try files.contentsOfDirectory(atPath: folder).compactMap { name in
            guard let number = Int(name), number > 2,
                let target = try? files.destinationOfSymbolicLink(atPath: "\(folder)/\(name)"),
                target.hasPrefix("pipe:") || target.hasPrefix("socket:")
            else { return nil }
            return "\(name): \(target)"
        }
    }

    @Test("it is told how a program ended, and what it wrote")
    func ends() async throws {
        let status = try ChildProcess(["sh", "-c", "echo out; echo err >&2; exit 3"])
        #expect(try await status.exit(within: .seconds(10)) == 3)
        #expect(status.output.text == "out\n")
        #expect(status.errors.text == "err\n")
        let signal = try ChildProcess(["sh", "-c", "kill -9 $$"])
        #expect(try await signal.exit(within: .seconds(10)) == 137)
        let fed = try ChildProcess(["cat"], input: .bytes(Array("fed".utf8)))
        #expect(try await fed.exit(within: .seconds(10)) == 0)
        #expect(fed.output.text == "fed")
    }

    @Test("it ignores and blocks no signal, whatever we do", .enabled(if: isLinux))
    func signals() async throws {
        let child = try ChildProcess(["sh", "-c", "grep -E 'SigBlk|SigIgn' /proc/self/status"])
        #expect(try await child.exit(within: .seconds(10)) == 0)
        let masks = child.output.lines.compactMap { $0.split(whereSeparator: \.isWhitespace).last }
        try #require(masks.count == 2)
        // The C library keeps some of the signals above 31 to itself.
        #expect(masks.map { UInt64($0, radix: 16).map { $0 & 0x7FFF_FFFF } } == [0, 0])
    }
}

#if os(Linux)
    private let isLinux = true
#else
    private let isLinux = false
#endif
