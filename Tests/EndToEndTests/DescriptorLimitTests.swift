import CulvertInterop
import Foundation
import TestSupport
import Testing

/// What `culvert proxy` does when the system gives it no more descriptors.
@Suite("a proxy at its limit of descriptors", .serialized, .timeLimit(.minutes(5)))
struct DescriptorLimitTests {
    /// A client, and the first words of the answer to its CONNECT: none where the connection waits to be accepted.
    private func connect(_ proxy: CulvertProxyProcess, _ port: Int) throws -> (BlockingSocket, String) {
        let client = try BlockingSocket.connected(toPort: proxy.port)
        try client.send("CONNECT 127.0.0.1:\(port) HTTP/1.1\r\nHost: 127.0.0.1:\(port)\r\n\r\n")
        return (client, (try? client.receive(12)) ?? "")
    }

    @Test(
        "it waits without spinning, says so once, and serves again when there are some", .enabled(if: isLinux)
    )
    func backsOff() async throws {
        let proxy = try await CulvertProxyProcess(["--relay", "auto"], maxDescriptors: 64)
        try await onThread {
            let listener = try BlockingSocket.listening()
            defer { listener.close() }
            // More than it can accept; they do not ask for anything yet.
            let waiting = try (0..<120).map { _ in try BlockingSocket.connected(toPort: proxy.port) }
            for _ in 0..<600 where !proxy.process.errors.text.contains("no descriptor is left") {
                usleep(50_000)
            }
            #expect(proxy.process.errors.text.contains("no descriptor is left"))
            let before = try proxy.processorTime.unwrapped("its processor time")
            sleep(3)
            let spent = try proxy.processorTime.unwrapped("its processor time") - before
            #expect(spent < .milliseconds(1500), "it spins: \(spent) in 3 s")
            for client in waiting { client.close() }
            // One may still be refused while the closed ones are being counted off.
            var opened = false
            for _ in 0..<100 where !opened {
                let (client, answer) = try self.connect(proxy, listener.port)
                opened = answer == "HTTP/1.1 200"
                client.close()
                if !opened { usleep(100_000) }
            }
            #expect(opened)
        }
        let warnings = proxy.process.errors.text.split(separator: "\n").filter {
            $0.contains("no descriptor is left")
        }
        // Each of its threads says so once a minute.
        #expect(warnings.count <= ProcessInfo.processInfo.activeProcessorCount, "\(warnings)")
    }

    @Test(
        "a client for whose target no descriptor is left is answered 502, or waits to be accepted",
        .enabled(if: isLinux),
        arguments: ["auto", "copy"])
    func noneForTheTarget(relay: String) async throws {
        let proxy = try await CulvertProxyProcess(["--relay", relay], maxDescriptors: 64)
        let statuses = try await onThread {
            let listener = try BlockingSocket.listening()
            defer { listener.close() }
            var clients: [BlockingSocket] = []
            var statuses: [String] = []
            // Each takes two descriptors of the proxy; the first that gets no second one is told so.
            while clients.count < 64, statuses.last ?? "HTTP/1.1 200" == "HTTP/1.1 200" {
                let (client, status) = try self.connect(proxy, listener.port)
                clients.append(client)
                statuses.append(status)
            }
            for client in clients { client.close() }
            return statuses
        }
        #expect(statuses.count > 5)
        #expect(statuses.last == "HTTP/1.1 502" || statuses.last == "", "\(statuses)")
    }

    @Test("bulk flows without a descriptor for a pipe", .enabled(if: isLinux))
    func noPipes() async throws {
        let proxy = try await CulvertProxyProcess(["--relay", "auto"], maxDescriptors: 64)
        try await onThread {
            let listener = try BlockingSocket.listening()
            defer { listener.close() }
            let (client, origin) = try listener.tunnel(through: proxy.port)
            let waiting = try (0..<120).map { _ in try BlockingSocket.connected(toPort: proxy.port) }
            for _ in 0..<600 where (proxy.descriptorCount ?? 0) < 64 { usleep(50_000) }
            #expect(proxy.descriptorCount ?? 0 >= 64)
            let pattern = BytePattern(seed: 4)
            let sender = Thread {
                try? pattern.send(20_000_000, to: origin)
                origin.finish()
            }
            sender.start()
            #expect(try pattern.receive(from: client) == 20_000_000)
            for socket in waiting + [client, origin] { socket.close() }
        }
    }
}

/// Descriptors and processor time are read from /proc.
private var isLinux: Bool { FileManager.default.fileExists(atPath: "/proc/self/stat") }
