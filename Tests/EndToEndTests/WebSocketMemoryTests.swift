import CulvertInterop
import CulvertWebSocket
import Foundation
import HTTPWire
import NIOCore
import Synchronization
import TestSupport
import Testing
import WebSocketWire

#if os(Linux)
    /// How much memory `culvert ws` takes for what no memory holds, read from the kernel's own high-water mark.
    ///
    /// `CULVERT_TEST_GIGABYTES=4` makes the messages as large as the figures in the documentation were taken with.
    @Suite("memory of culvert ws", .serialized, .timeLimit(.minutes(10)))
    struct WebSocketMemoryTests {
        private static let total: Int = {
            let gigabytes = ProcessInfo.processInfo.environment["CULVERT_TEST_GIGABYTES"].flatMap(Int.init)
            return gigabytes.map { $0 << 30 } ?? 256 << 20
        }()

        /// Runs `culvert ws --binary` with its output in a pipe that is read from the moment `go` is told.
        private func run(
            _ server: Authority, _ arguments: [String], delay: Int
        ) async throws -> (count: Int, peakKilobytes: Int) {
            let command = """
                exec "$0" "$@" > >(sleep \(delay); wc -c >&2)
                """
            let process = try ChildProcess(
                [
                    "bash", "-c", command, CulvertCommand.path, "ws", "ws://\(server)/", "--proxy", "none",
                    "--binary",
                ] + arguments, input: .open)
            var peak = 0
            try await eventually("the end of culvert ws", within: .seconds(540)) {
                peak = max(peak, Self.peakKilobytes(process.pid) ?? 0)
                return process.status != nil
            }
            #expect(process.status == 0, "\(process.errors.text)")
            try await eventually("the count of bytes", within: .seconds(60)) {
                process.errors.text.split(separator: "\n").contains { Int($0) != nil }
            }
            let count = process.errors.text.split(separator: "\n").lazy.compactMap { Int($0) }.first ?? -1
            print("culvert ws \(arguments): \(count) bytes, peak \(peak) kB resident")
            return (count, peak)
        }

        private static func peakKilobytes(_ pid: Int32) -> Int? {
            guard let status = try? String(contentsOfFile: "/proc/\(pid)/status", encoding: .utf8),
                let line = status.split(separator: "\n").first(where: { $0.hasPrefix("VmHWM:") })
            else { return nil }
            return line.split(whereSeparator: \.isWhitespace).dropFirst().first.flatMap { Int($0) }
        }

        @Test("--stream: a message in one frame, larger than any memory for it, passes through")
        func oneFrame() async throws {
            let total = Self.total
            let (count, peak) = try await withTCPServer { connection in
                let peer = try await WebSocketTestPeer.accept(connection)
                var head = ByteBuffer()
                head.writeMultipleIntegers(UInt8(0x82), UInt8(127), UInt64(total))
                try await connection.write(head)
                let piece = ByteBuffer(repeating: 0xA5, count: 1 << 20)
                for _ in 0..<(total >> 20) { try await connection.write(piece) }
                try await peer.close(.normalClosure)
                _ = try await connection.readToEnd()
            } _: { server in
                try await self.run(server, ["--stream"], delay: 0)
            }
            #expect(count == total)
            #expect(peak > 0 && peak < 64 << 10)
        }

        @Test("a reader that sleeps stops the sender, and no message waits in memory")
        func slowReader() async throws {
            let total = Self.total
            let sent = Mutex(0)
            let beforeReading = Mutex(0)
            let (count, peak) = try await withTCPServer { connection in
                let peer = try await WebSocketTestPeer.accept(connection)
                let started = ContinuousClock.now
                let frame = try WebSocketTestPeer.frame(.binary(ByteBuffer(repeating: 5, count: 1 << 16)))
                for _ in 0..<(total >> 16) {
                    try await connection.write(frame)
                    let sum = sent.withLock { sent in
                        sent += 1 << 16
                        return sent
                    }
                    if started.duration(to: .now) < .seconds(2) { beforeReading.withLock { $0 = sum } }
                }
                try await peer.close(.normalClosure)
                _ = try await connection.readToEnd()
            } _: { server in
                try await self.run(server, [], delay: 5)
            }
            #expect(count == total)
            // What the kernel's buffers on the way and the watermark hold.
            #expect(beforeReading.withLock { $0 } < 64 << 20)
            #expect(peak > 0 && peak < 64 << 10)
        }

        @Test("Tests/bigstream.sh finds no more memory taken, in the echo server neither")
        func script() async throws {
            let script = Workspace.tests.deletingLastPathComponent().appending(path: "bigstream.sh").path
            let process = try ChildProcess([
                script, "--culvert", CulvertCommand.path, "--frame", "0.1", "--firehose", "0.25",
            ])
            try await eventually("the end of bigstream.sh", within: .seconds(540)) { process.status != nil }
            #expect(process.status == 0, "\(process.output.text)\(process.errors.text)")
            #expect(process.output.text.split(separator: "\n").count { $0.hasSuffix(": ok") } == 3)
        }
    }
#endif
