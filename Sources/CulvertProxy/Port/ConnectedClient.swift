import CulvertTunnel
import HTTPWire
import NIOCore
import PortWire

/// Who is at the other end of a connection, as far as the connection itself tells: its address, or the one that a
/// trusted load balancer told, and the subject of its certificate.
struct ConnectedClient: Sendable {
    /// nil on a Unix socket.
    var address: IPAddress?
    var port = 0
    /// By a certificate that was verified.
    var certificateUser: String?

    init(_ remote: SocketAddress?) {
        self.address = remote.flatMap(IPAddress.init)
        self.port = remote?.port ?? 0
    }

    init(address: IPAddress, port: UInt16) {
        self.address = address
        self.port = Int(port)
    }

    /// Takes the place of the load balancer's own address, where the header tells of a client.
    mutating func replace(by endpoint: ProxyProtocolHeader.Endpoint?) {
        guard let endpoint else { return }
        self.address = endpoint.address
        self.port = Int(endpoint.port)
    }

    /// `192.0.2.1:40000`, as the access log has it.
    var description: String {
        self.address.map { ListenAddress(address: $0, port: self.port).description } ?? "unix"
    }
}
