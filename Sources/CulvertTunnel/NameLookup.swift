package import HTTPWire
package import NIOCore
import NIOPosix

/// A name's addresses, for whoever wants to know and does not dial.
package enum NameLookup {
    /// All of them, in the order of the name service.
    package static func addresses(of name: String, on eventLoop: any EventLoop) -> EventLoopFuture<
        [IPAddress]
    > {
        AddressResolver.threads.runIfActive(eventLoop: eventLoop) {
            try AddressResolver.lookUp(host: name, port: 0).compactMap(IPAddress.init)
        }
    }
}
