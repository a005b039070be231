package import HTTPWire
package import NIOCore

/// The look at a target that somebody else will dial.
package enum TargetCheck {
    /// Looks the target's name up; fails with a ``TunnelError`` when it has no address, or one that the filter refuses.
    package static func run(
        _ target: Authority, names: NameService, on eventLoop: any EventLoop, filter: @escaping AddressFilter
    ) -> EventLoopFuture<Void> {
        let name = target.hostDescription
        let addresses = AddressResolver.checkAll(
            name, port: target.port, names: names, filter: filter, on: eventLoop)
        return addresses.flatMapErrorThrowing { error in
            if let forbidden = error as? AddressForbidden {
                throw TunnelError(
                    .forbidden, phase: .resolve, fault: .policy, detail: "\(name): \(forbidden.reason)")
            }
            let reason = (error as? NameNotResolved)?.reason ?? "\(error)"
            throw TunnelError(
                .nameNotResolved, phase: .resolve, fault: .target,
                detail: "cannot resolve \(name), so it cannot be checked: \(reason)")
        }
    }
}
