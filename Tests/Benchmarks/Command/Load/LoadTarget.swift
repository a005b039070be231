/// The way from the load generator to its origin.
struct LoadTarget {
    enum Way {
        /// An HTTP proxy on this port of loopback.
        case proxy(UInt16)
        /// A TCP forwarder on this port of loopback, whose upstream is the origin.
        case forwarder(UInt16)
        /// Nothing between: what the generator itself can do.
        case direct
    }

    let way: Way
    let originPort: UInt16

    var port: UInt16 {
        switch self.way {
        case .proxy(let port), .forwarder(let port): port
        case .direct: self.originPort
        }
    }

    /// The request that opens a tunnel; nil where there is nobody to ask.
    var tunnelRequest: [UInt8]? {
        guard case .proxy = self.way else { return nil }
        return Array("CONNECT \(self.origin) HTTP/1.1\r\nHost: \(self.origin)\r\n\r\n".utf8)
    }

    /// A plain GET, in absolute form to a proxy.
    var getRequest: [UInt8] {
        var resource = "/"
        if case .proxy = self.way { resource = "http://\(self.origin)/" }
        return Array("GET \(resource) HTTP/1.1\r\nHost: \(self.origin)\r\n\r\n".utf8)
    }

    private var origin: String { "127.0.0.1:\(self.originPort)" }
}
