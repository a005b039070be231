package import HTTPWire
package import NIOCore

/// What stands in front of a connection that a load balancer passes on: the PROXY protocol, version 1 or 2.
///
/// <https://www.haproxy.org/download/3.0/doc/proxy-protocol.txt>
package struct ProxyProtocolHeader: Sendable, Hashable {
    /// One end of the connection that is passed on.
    package struct Endpoint: Sendable, Hashable {
        package var address: IPAddress
        package var port: UInt16

        package init(address: IPAddress, port: UInt16) {
            self.address = address
            self.port = port
        }
    }

    /// The client of the load balancer; nil when the connection is the load balancer's own (a health check), or its
    /// origin cannot be told as an IP address: then what is true of the connection itself counts.
    package var source: Endpoint?
    /// Where that client connected to; nil together with ``source``.
    package var destination: Endpoint?

    init(source: Endpoint? = nil, destination: Endpoint? = nil) {
        self.source = source
        self.destination = destination
    }

    /// Reads one header from the buffer's reader index on; nil, and nothing is taken, while it may still become one.
    ///
    /// - Throws: as soon as the octets cannot become a header. A connection without one is refused too: the
    ///   specification forbids guessing (§2).
    package static func parse(_ buffer: inout ByteBuffer) throws(ProxyProtocolError) -> Self? {
        let bytes = buffer.readableBytesView
        guard let first = bytes.first else { return nil }
        return first == ProxyProtocolV2.signature[0]
            ? try ProxyProtocolV2.parse(&buffer) : try ProxyProtocolV1.parse(&buffer)
    }
}

/// What is wrong with a PROXY protocol header.
package enum ProxyProtocolError: Error, Hashable, Sendable {
    /// The connection begins with something else.
    case missing
    case malformed(String)
}

extension ProxyProtocolError: CustomStringConvertible {
    package var description: String {
        switch self {
        case .missing: "no PROXY protocol header"
        case .malformed(let detail): "malformed PROXY protocol header: \(detail)"
        }
    }
}
