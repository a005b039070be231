package import HTTPWire
package import NIOCore
import NIOPosix
import Synchronization

#if canImport(Darwin)
    import Darwin
#elseif canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// The system's name service. Many who want one name at a time ask it once, and for a while its answer counts for who
/// comes later. The system tells no time to live, so the while is short and the user's to say.
package final class NameService: Sendable {
    private struct Answer {
        let addresses: [SocketAddress]
        let time: NIODeadline
    }

    /// Somebody who waits for an answer.
    private struct Waiter: Sendable {
        let promise: EventLoopPromise<[SocketAddress]>
        let isWanted: @Sendable () -> Bool
    }

    private struct State {
        var maxAge: TimeAmount
        var answers: [String: Answer] = [:]
        /// Who waits for which name. Each has one call under way.
        var waiters: [String: [Waiter]] = [:]
    }

    private let state: Mutex<State>
    private let capacity: Int
    private let ask: @Sendable (String) throws -> [SocketAddress]

    /// Name services block their thread, some for half a minute; so these threads serve nothing else.
    private static let threads: NIOThreadPool = {
        let pool = NIOThreadPool(numberOfThreads: 16)
        pool.start()
        return pool
    }()

    /// Remembers nothing.
    package static let withoutMemory = NameService(maxAge: .zero)

    /// - Parameters:
    ///   - maxAge: for how long an answer counts.
    ///   - capacity: how many names are remembered. A thousand take some 200 kB, and a browser's day fits.
    ///   - ask: blocks until it knows a name's addresses, of port 0.
    package init(
        maxAge: TimeAmount,
        capacity: Int = 1000,
        ask: @escaping @Sendable (String) throws -> [SocketAddress] = NameService.askSystem
    ) {
        self.state = Mutex(State(maxAge: maxAge))
        self.capacity = capacity
        self.ask = ask
    }

    /// For how long an answer counts, those that are known included.
    package var maxAge: TimeAmount {
        get { self.state.withLock { $0.maxAge } }
        set { self.state.withLock { $0.maxAge = newValue } }
    }

    /// What is known without asking; nil when that is nothing.
    package func known(_ name: String, port: UInt16) -> [SocketAddress]? {
        let answer: Answer? = self.state.withLock { state in
            guard state.maxAge > .zero, let answer = state.answers[name],
                answer.time + state.maxAge > .now()
            else { return nil }
            return answer
        }
        return answer?.addresses.map { $0.with(port: port) }
    }

    /// A name's addresses, in the order of the name service; fails with ``NameNotResolved``.
    ///
    /// - Parameter isWanted: asked when it is the name's turn: a call that nobody waits for any more is not made.
    package func lookUp(
        _ name: String, port: UInt16, on eventLoop: any EventLoop,
        isWanted: @escaping @Sendable () -> Bool = { true }
    ) -> EventLoopFuture<[SocketAddress]> {
        if let known = self.known(name, port: port) {
            return eventLoop.makeSucceededFuture(known)
        }
        let promise = eventLoop.makePromise(of: [SocketAddress].self)
        let isFirst = self.state.withLock { state in
            state.waiters[name, default: []].append(Waiter(promise: promise, isWanted: isWanted))
            return state.waiters[name]?.count == 1
        }
        if isFirst {
            Self.threads.submit { _ in self.call(name) }
        }
        return promise.futureResult.map { $0.map { $0.with(port: port) } }
    }

    /// Who is at its addresses is not there: they may have moved.
    package func forget(_ host: Authority.Host) {
        guard case .name(let name) = host else { return }
        self.state.withLock { $0.answers[name] = nil }
    }

    private func call(_ name: String) {
        guard self.isWanted(name) else { return }
        let result = Result { try self.ask(name) }
        let waiters = self.state.withLock { state in
            if state.maxAge > .zero, case .success(let addresses) = result {
                self.makeRoom(for: name, in: &state)
                state.answers[name] = Answer(addresses: addresses, time: .now())
            }
            return state.waiters.removeValue(forKey: name) ?? []
        }
        for waiter in waiters { waiter.promise.completeWith(result) }
    }

    /// Forgets who waits for the name where no one of them does any more.
    private func isWanted(_ name: String) -> Bool {
        let unwanted: [Waiter] = self.state.withLock { state in
            guard let waiters = state.waiters[name], !waiters.contains(where: { $0.isWanted() }) else {
                return []
            }
            state.waiters[name] = nil
            return waiters
        }
        for waiter in unwanted { waiter.promise.fail(CancellationError()) }
        return unwanted.isEmpty
    }

    private func makeRoom(for name: String, in state: inout State) {
        guard state.answers[name] == nil, state.answers.count >= self.capacity,
            let oldest = state.answers.min(by: { $0.value.time < $1.value.time })
        else { return }
        state.answers[oldest.key] = nil
    }

    // MARK: The system

    /// The system's answer for a name.
    package static func askSystem(_ name: String) throws -> [SocketAddress] {
        var hints = addrinfo()
        #if canImport(Glibc)
            hints.ai_socktype = CInt(SOCK_STREAM.rawValue)
        #else
            hints.ai_socktype = CInt(SOCK_STREAM)
        #endif
        var list: UnsafeMutablePointer<addrinfo>?
        let code = getaddrinfo(name, nil, &hints, &list)
        guard code == 0 else {
            throw NameNotResolved(reason: gai_strerror(code).map { String(cString: $0) } ?? "error \(code)")
        }
        defer { freeaddrinfo(list) }
        var addresses: [SocketAddress] = []
        var next = list
        while let entry = next {
            if let address = entry.pointee.ai_addr { addresses += Self.socketAddress(address) }
            next = entry.pointee.ai_next
        }
        return addresses
    }

    private static func socketAddress(_ address: UnsafeMutablePointer<sockaddr>) -> [SocketAddress] {
        switch CInt(address.pointee.sa_family) {
        case AF_INET:
            address.withMemoryRebound(to: sockaddr_in.self, capacity: 1) { [SocketAddress($0.pointee)] }
        case AF_INET6:
            address.withMemoryRebound(to: sockaddr_in6.self, capacity: 1) { [SocketAddress($0.pointee)] }
        default:
            []
        }
    }
}

extension SocketAddress {
    fileprivate func with(port: UInt16) -> SocketAddress {
        var copy = self
        copy.port = Int(port)
        return copy
    }
}

/// The name service's answer when there is no address.
package struct NameNotResolved: Error {
    package let reason: String

    package init(reason: String) {
        self.reason = reason
    }
}
