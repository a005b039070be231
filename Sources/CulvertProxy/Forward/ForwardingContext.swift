import HTTPWire
import NIOCore
import Synchronization

/// What the forwarded requests of all connections share.
final class ForwardingContext: Sendable {
    let options: ForwardingOptions
    /// This proxy in `Via` and `Proxy-Status`.
    let pseudonym: String
    private let pools = Mutex<[ObjectIdentifier: NIOLoopBound<OriginPool<OriginConnection>>]>([:])

    init(_ options: ForwardingOptions) {
        self.options = options
        // Made up, so that two proxies of this kind on one way are no loop.
        self.pseudonym =
            options.pseudonym.flatMap { Via.isPseudonym($0) ? $0 : nil }
            ?? "culvert-" + String(UInt32.random(in: 0x1000_0000...UInt32.max), radix: 16)
    }

    /// The pool of an event loop, called on it.
    func pool(on eventLoop: any EventLoop) -> OriginPool<OriginConnection> {
        let bound = self.pools.withLock { pools in
            let id = ObjectIdentifier(eventLoop)
            if let pool = pools[id] { return pool }
            let pool = NIOLoopBound(OriginPool<OriginConnection>(self.options), eventLoop: eventLoop)
            pools[id] = pool
            return pool
        }
        return bound.value
    }
}
