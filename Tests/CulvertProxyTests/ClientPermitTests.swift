import HTTPWire
import ProxyPolicy
import Testing

@testable import CulvertProxy

@Suite("a connection's permit")
struct ClientPermitTests {
    private let limits = ProxyLimits { $0.perUser.connections = 1 }

    private func permit(_ limiter: Limiter) throws -> ClientPermit {
        try #require(limiter.permit(for: IPAddress("192.0.2.1"), under: self.limits))
    }

    @Test("a user's seat is taken by the first request and free again when the last holder lets go")
    func seat() throws {
        let limiter = Limiter()
        let (first, second) = (try self.permit(limiter), try self.permit(limiter))
        #expect(first.request(by: "alice", under: self.limits) == nil)
        #expect(second.request(by: "alice", under: self.limits)?.limit == .userConnections)
        first.keep()
        first.release()
        #expect(second.request(by: "alice", under: self.limits)?.limit == .userConnections)
        first.release()
        #expect(second.request(by: "alice", under: self.limits) == nil)
    }

    @Test("one that was let go takes no seat: nobody would give it back")
    func released() throws {
        let limiter = Limiter()
        let gone = try self.permit(limiter)
        gone.release()
        #expect(gone.request(by: "alice", under: self.limits) == nil)
        let next = try self.permit(limiter)
        #expect(next.request(by: "alice", under: self.limits) == nil)
    }
}
