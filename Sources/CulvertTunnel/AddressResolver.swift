package import HTTPWire
package import NIOCore
import NIOPosix
import Synchronization

/// Judges one resolved address before it is dialled: nil admits it, a reason refuses it.
package typealias AddressFilter = @Sendable (IPAddress, UInt16) -> String?

/// One name looked up once for one dial: the addresses that pass the filter are the ones that are dialled, so
/// that no second answer of the name service slips in between check and use.
final class AddressResolver: Resolver, Sendable {
    private let v4: EventLoopPromise<[SocketAddress]>
    private let v6: EventLoopPromise<[SocketAddress]>
    private let names: NameService
    private let filter: AddressFilter?
    private let isCancelled = Atomic(false)

    init(eventLoop: any EventLoop, names: NameService, filter: AddressFilter?) {
        self.names = names
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
        let answer = self.names.lookUp(
            host, port: UInt16(truncatingIfNeeded: port), on: self.v4.futureResult.eventLoop
        ) {
            // A dial that was given up while it waited for a thread takes none.
            !self.isCancelled.load(ordering: .relaxed)
        }
        answer.flatMapThrowing { try Self.admitted($0, by: self.filter) }.whenComplete { result in
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
        names: NameService,
        filter: @escaping AddressFilter,
        on eventLoop: any EventLoop
    ) -> EventLoopFuture<Void> {
        names.lookUp(host, port: port, on: eventLoop).flatMapThrowing { addresses in
            for address in addresses {
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
        names: NameService,
        filter: AddressFilter?,
        on eventLoop: any EventLoop
    ) -> EventLoopFuture<[IPAddress]> {
        names.lookUp(host, port: port, on: eventLoop).flatMapThrowing { found in
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
