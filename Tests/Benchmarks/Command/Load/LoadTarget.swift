import Foundation

/// The way from the load generator to its origin.
struct LoadTarget {
    enum Way {
        /// An HTTP proxy on this port of loopback.
        case proxy(UInt16)
        /// A TCP forwarder on this port of loopback, whose upstream is the origin.
        case forwarder(UInt16)
        /// Nothing between: what the generator itself can do.
        case direct
        /// A WebSocket echo server on this port of loopback, in the origin's place.
        case webSocket(UInt16)
    }

    let way: Way
    /// `user:password` for the proxy.
    let credentials: String?
    let originPort: UInt16

    var port: UInt16 {
        switch self.way {
        case .proxy(let port), .forwarder(let port), .webSocket(let port): port
        case .direct: self.originPort
        }
    }

    /// The request that opens a tunnel, or a WebSocket; nil where there is nobody to ask.
    var openingRequest: [UInt8]? {
        switch self.way {
        case .proxy:
            Array("CONNECT \(self.origin) HTTP/1.1\r\nHost: \(self.origin)\r\n\(self.authorization)\r\n".utf8)
        case .webSocket(let port):
            Array(
                ("GET / HTTP/1.1\r\nHost: 127.0.0.1:\(port)\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                    + "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n").utf8
            )
        case .forwarder, .direct:
            nil
        }
    }

    /// Whether this is the status that was hoped for.
    func isOpening(_ status: Substring) -> Bool {
        if case .webSocket = self.way { status == "101" } else { status.first == "2" }
    }

    /// A plain GET, in absolute form to a proxy.
    var getRequest: [UInt8] {
        var resource = "/"
        if case .proxy = self.way { resource = "http://\(self.origin)/" }
        return Array("GET \(resource) HTTP/1.1\r\nHost: \(self.origin)\r\n\(self.authorization)\r\n".utf8)
    }

    /// The field line by Basic; empty where nobody is told who asks.
    private var authorization: String {
        self.credentials.map { "Proxy-Authorization: Basic \(Data($0.utf8).base64EncodedString())\r\n" } ?? ""
    }

    private var origin: String { "127.0.0.1:\(self.originPort)" }
}
