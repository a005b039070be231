import CulvertTunnel
import HTTPWire
import NIOCore
import NIOPosix
import Synchronization
import TestSupport
import Testing

private struct NotKnown: Error {}

/// Answers 192.0.2.1, .2, .3 … one after the other; names that begin with "no" have no address.
private final class NameServer: Sendable {
    let calls = Tally()
    /// Answers wait while it is held.
    let gate = Mutex(())

    func ask(_ name: String) throws -> [SocketAddress] {
        self.calls.add()
        let number = self.calls.value
        self.gate.withLock { _ in }
        if name.hasPrefix("no") { throw NotKnown() }
        return [try SocketAddress(ipAddress: "192.0.2.\(number)", port: 0)]
    }
}

@Suite("The name service", .timeLimit(.minutes(1)))
struct NameServiceTests {
    private let server = NameServer()
    private let eventLoop = MultiThreadedEventLoopGroup.singleton.next()

    private func service(_ maxAge: TimeAmount, capacity: Int = 1000) -> NameService {
        NameService(maxAge: maxAge, capacity: capacity) { [server] in try server.ask($0) }
    }

    private func lookUp(
        _ name: String, port: UInt16 = 443, _ service: NameService, isWanted: Bool = true
    ) -> EventLoopFuture<[String]> {
        service.lookUp(name, port: port, on: self.eventLoop) { isWanted }.map {
            $0.map { "\($0.ipAddress ?? ""):\($0.port ?? -1)" }
        }
    }

    @Test("an answer counts for its time, for every port, and no longer")
    func memory() async throws {
        let service = self.service(.seconds(3600))
        #expect(service.known("a.example", port: 443) == nil)
        #expect(try await self.lookUp("a.example", service).get() == ["192.0.2.1:443"])
        #expect(try await self.lookUp("a.example", port: 80, service).get() == ["192.0.2.1:80"])
        #expect(service.known("a.example", port: 8080)?.map(\.port) == [8080])
        #expect(try await self.lookUp("b.example", service).get() == ["192.0.2.2:443"])
        #expect(self.server.calls.value == 2)

        service.forget(.name("b.example"))
        #expect(service.known("b.example", port: 443) == nil)
        #expect(service.known("a.example", port: 443) != nil)

        service.maxAge = .nanoseconds(1)
        #expect(service.known("a.example", port: 443) == nil)
        #expect(try await self.lookUp("a.example", service).get() == ["192.0.2.3:443"])
    }

    @Test("without a time everybody asks, and nothing is kept")
    func noMemory() async throws {
        let service = self.service(.zero)
        #expect(try await self.lookUp("a.example", service).get() == ["192.0.2.1:443"])
        #expect(try await self.lookUp("a.example", service).get() == ["192.0.2.2:443"])
        service.maxAge = .hours(1)
        #expect(service.known("a.example", port: 443) == nil)
    }

    @Test("a failure is told to all who wait, and not remembered")
    func failure() async throws {
        let service = self.service(.hours(1))
        let futures = (0..<3).map { _ in self.lookUp("no.example", service) }
        for future in futures { await #expect(throws: NotKnown.self) { try await future.get() } }
        let before = self.server.calls.value
        await #expect(throws: NotKnown.self) { try await self.lookUp("no.example", service).get() }
        #expect(self.server.calls.value == before + 1)
    }

    @Test("many who want one name at a time ask once; another name does not wait for it")
    func oneCall() async throws {
        let service = self.service(.zero)
        let futures = self.server.gate.withLock { _ in
            (0..<100).map { self.lookUp("a.example", port: UInt16($0 + 1), service) }
        }
        for (index, future) in futures.enumerated() {
            let answer = try await future.get()
            #expect(answer.count == 1 && answer[0].hasSuffix(":\(index + 1)"))
        }
        #expect(self.server.calls.value == 1)
        #expect(try await self.lookUp("b.example", service).get().count == 1)
    }

    @Test("a call that nobody waits for any more is not made; one that somebody does is")
    func unwanted() async throws {
        let service = self.service(.zero)
        await #expect(throws: CancellationError.self) {
            try await self.lookUp("a.example", service, isWanted: false).get()
        }
        #expect(self.server.calls.value == 0)
        #expect(try await self.lookUp("a.example", service).get() == ["192.0.2.1:443"])
    }

    @Test("the oldest answers make room")
    func capacity() async throws {
        let service = self.service(.hours(1), capacity: 3)
        for name in ["a", "b", "c", "a", "d"] { _ = try await self.lookUp(name, service).get() }
        let known = ["a", "b", "c", "d"].filter { service.known($0, port: 1) != nil }
        #expect(known == ["b", "c", "d"])
    }

    @Test("the system's own answer: an address, and a name that there is not")
    func system() throws {
        let addresses = try NameService.askSystem("localhost")
        #expect(addresses.contains { $0.ipAddress == "127.0.0.1" && $0.port == 0 })
        #expect(throws: NameNotResolved.self) { try NameService.askSystem("no-such-name.invalid") }
    }
}
