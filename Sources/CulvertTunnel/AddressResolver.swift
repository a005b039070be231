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

/// Judges one resolved address before it is dialled: nil admits it, a reason refuses it.
package typealias AddressFilter = @Sendable (IPAddress, UInt16) -> String?

/// One name looked up once for one dial: the addresses that pass the filter are the ones that are dialled, so
/// that no second answer of the name service slips in between check and use.
final class AddressResolver: Resolver, Sendable {
    private let v4: EventLoopPromise<[SocketAddress]>
    private let v6: EventLoopPromise<[SocketAddress]>
    private let filter: AddressFilter?
    private let isCancelled = Atomic(false)

    /// Name services block their thread, some for half a minute; so these threads serve nothing else.
    static let threads: NIOThreadPool = {
        let pool = NIOThreadPool(numberOfThreads: 16)
        pool.start()
        return pool
    }()

    init(eventLoop: any EventLoop, filter: AddressFilter?) {
        self.v4 = eventLoop.makePromise()
        self.v6 = eventLoop.makePromise()
        self.filter = filter
    }

    /// Complete once the name service has answered; it answers for both families at once.
    var answer: EventLoopFuture<[SocketAddress]> { self.v6.futureResult }

    func initiateAQuery(host: String, port: Int) -> EventLoopFuture<[SocketAddress]> {
        self.v4.futureResult
    }

    /// Asked first of the two; one call to the name service answers both.
    func initiateAAAAQuery(host: String, port: Int) -> EventLoopFuture<[SocketAddress]> {
        let work = Self.threads.runIfActive(eventLoop: self.v4.futureResult.eventLoop) {
            // A dial that was given up while it waited for a thread takes none.
            guard !self.isCancelled.load(ordering: .relaxed) else { throw CancellationError() }
            return try Self.admitted(try Self.lookUp(host: host, port: port), by: self.filter)
        }
        work.whenComplete { result in
            switch result {
            case .success(let addresses):
                self.v6.succeed(addresses.filter { $0.protocol == .inet6 })
                self.v4.succeed(addresses.filter { $0.protocol == .inet })
            case .failure(let error):
                self.v6.fail(error)
                self.v4.fail(error)
            }
        }
        return self.v6.futureResult
    }

    /// Looks a name up for somebody else to dial: fails with ``AddressForbidden`` when the filter refuses any of its
    /// addresses, because nobody knows which one the other side will take.
    static func checkAll(
        _ host: String,
        port: UInt16,
        filter: @escaping AddressFilter,
        on eventLoop: any EventLoop
    ) -> EventLoopFuture<Void> {
        self.threads.runIfActive(eventLoop: eventLoop) {
            for address in try Self.lookUp(host: host, port: Int(port)) {
                if let ip = IPAddress(address), let objection = filter(ip, port) {
                    throw AddressForbidden(reason: objection)
                }
            }
        }
    }

    /// Looks a name up for a proxy that is asked for an address: those that pass the filter, in the system's order.
    ///
    /// Fails with ``AddressForbidden`` when none does, with ``NameNotResolved`` when there is none.
    static func addresses(
        of host: String,
        port: UInt16,
        filter: AddressFilter?,
        on eventLoop: any EventLoop
    ) -> EventLoopFuture<[IPAddress]> {
        self.threads.runIfActive(eventLoop: eventLoop) {
            let found = try Self.lookUp(host: host, port: Int(port))
            let addresses = try Self.admitted(found, by: filter).compactMap { IPAddress($0) }
            guard !addresses.isEmpty else { throw NameNotResolved(reason: "it has no address") }
            return addresses
        }
    }

    /// A call to the name service cannot be stopped, its late answer finds nobody; one that waits is not made.
    func cancelQueries() {
        self.isCancelled.store(true, ordering: .relaxed)
    }

    private static func admitted(
        _ addresses: [SocketAddress],
        by filter: AddressFilter?
    ) throws -> [SocketAddress] {
        guard let filter else { return addresses }
        var objections: [String] = []
        let admitted = addresses.filter { address in
            guard let ip = IPAddress(address), let port = address.port else { return false }
            guard let objection = filter(ip, UInt16(truncatingIfNeeded: port)) else { return true }
            objections.append(objection)
            return false
        }
        if admitted.isEmpty, let objection = objections.first { throw AddressForbidden(reason: objection) }
        return admitted
    }

    static func lookUp(host: String, port: Int) throws -> [SocketAddress] {
        var hints = addrinfo()
        #if canImport(Glibc)
            hints.ai_socktype = CInt(SOCK_STREAM.rawValue)
        #else
            hints.ai_socktype = CInt(SOCK_STREAM)
        #endif
        hints.ai_flags = AI_NUMERICSERV
        var list: UnsafeMutablePointer<addrinfo>?
        let code = getaddrinfo(host, String(port), &hints, &list)
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

/// The name service's answer when there is no address.
struct NameNotResolved: Error {
    let reason: String
}

/// Every address of the name is forbidden.
struct AddressForbidden: Error {
    let reason: String
}

extension IPAddress {
    /// The address of an Internet socket; nil for a Unix one.
    package init?(_ address: SocketAddress) {
        // The octets stand at the same place on every system: behind family and port, and IPv6's flow label.
        let parsed: IPAddress? =
            switch address {
            case .v4(let v4): withUnsafeBytes(of: v4.address) { IPAddress(bytes: $0[4..<8]) }
            case .v6(let v6): withUnsafeBytes(of: v6.address) { IPAddress(bytes: $0[8..<24]) }
            case .unixDomainSocket: nil
            }
        guard let parsed else { return nil }
        self = parsed
    }
}
