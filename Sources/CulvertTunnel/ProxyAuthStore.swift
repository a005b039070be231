import ProxyAuth
import ProxyRoutes
import Synchronization

/// What worked with which proxy for whom, so that the next connection says it unasked. Never shared between
/// identities: the credentials are part of the key.
final class ProxyAuthStore: Sendable {
    /// Proxies times identities; beyond it the oldest knowledge goes.
    private static let limit = 256

    private struct Contents {
        var memories: [ProxyHop: ProxyAuthMemory] = [:]
        var order: [ProxyHop] = []
    }

    private let contents = Mutex(Contents())

    /// The field value for the first request on a new connection. Counts the nonce up under the lock: no two
    /// connections send the same count.
    func authorization(
        for hop: ProxyHop, request: ProxyAuthenticator.Request
    ) -> (memory: ProxyAuthMemory, value: String?)? {
        self.contents.withLock { contents in
            guard var memory = contents.memories[hop] else { return nil }
            let value = hop.credentials.flatMap { memory.authorization(for: request, credentials: $0) }
            contents.memories[hop] = memory
            return (memory, value)
        }
    }

    func remember(_ memory: ProxyAuthMemory, for hop: ProxyHop) {
        self.contents.withLock { contents in
            if contents.memories.updateValue(memory, forKey: hop) != nil { return }
            contents.order.append(hop)
            if contents.order.count > Self.limit { contents.memories[contents.order.removeFirst()] = nil }
        }
    }

    func forget(_ hop: ProxyHop) {
        self.contents.withLock { contents in
            guard contents.memories.removeValue(forKey: hop) != nil else { return }
            contents.order.removeAll { $0 == hop }
        }
    }
}
