package import HTTPWire
package import NIOCore

/// A name's addresses, for whoever wants to know and does not dial.
package enum NameLookup {
    /// All of them, in the order of the name service.
    package static func addresses(of name: String, on eventLoop: any EventLoop) -> EventLoopFuture<
        [IPAddress]
    > {
        NameService.withoutMemory.lookUp(name, port: 0, on: eventLoop).map { $0.compactMap(IPAddress.init) }
    }
}
