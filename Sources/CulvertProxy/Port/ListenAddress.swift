public import HTTPWire
package import NIOCore

#if canImport(Darwin)
    import Darwin
#elseif canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// Where to listen: an address and port, a Unix socket, or what the service manager has opened already. Never a name:
/// no name service decides who can connect.
public struct ListenAddress: Sendable, Hashable, CustomStringConvertible {
    /// What is listened on.
    public enum Place: Sendable, Hashable {
        /// A literal address; the unspecified one listens on all. Port 0 is a free one.
        case tcp(IPAddress, port: Int)
        /// A Unix socket's file, created with this mode.
        case unix(path: String, mode: UInt16)
        /// The sockets that the service manager passed (`LISTEN_FDS`).
        case serviceManager
    }

    /// What is listened on.
    public let place: Place

    /// 127.0.0.1:3128, the port by which forward proxies are known.
    public static let loopback = ListenAddress(address: .loopback, port: 3128)
    /// The sockets that the service manager passed.
    public static let serviceManager = ListenAddress(.serviceManager)

    /// Only the proxy's own user may connect, unless told.
    static let defaultMode: UInt16 = 0o600
    /// `sun_path` holds 108 octets on Linux and 104 elsewhere, a zero included.
    private static let maxPathBytes = 103

    /// An address from its place.
    public init(_ place: Place) {
        self.place = place
    }

    /// An address from its parts.
    public init(address: IPAddress, port: Int) {
        self.place = .tcp(address, port: port)
    }

    /// Reads an address and port, and nothing else: for listeners that take no other place.
    public init?(addressAndPort text: some StringProtocol) {
        guard let place = Self.tcp(text) else { return nil }
        self.init(place)
    }

    /// Reads `127.0.0.1:3128`, `[::1]:3128`, `localhost:3128`, or a port alone, which means loopback;
    /// `unix:/path` or `unix:/path,mode=660`; `systemd` for the sockets that the service manager passed.
    public init?(_ text: some StringProtocol) {
        if text == "systemd" {
            self.init(.serviceManager)
        } else if text.hasPrefix("unix:") {
            guard let place = Self.unix(text.dropFirst(5)) else { return nil }
            self.init(place)
        } else {
            guard let place = Self.tcp(text) else { return nil }
            self.init(place)
        }
    }

    private static func unix(_ text: some StringProtocol) -> Place? {
        let parts = text.split(separator: ",", maxSplits: 1, omittingEmptySubsequences: false)
        guard let path = parts.first, path.hasPrefix("/"), path.utf8.count <= Self.maxPathBytes,
            !path.utf8.contains(0)
        else { return nil }
        guard parts.count == 2 else { return .unix(path: String(path), mode: Self.defaultMode) }
        guard parts[1].hasPrefix("mode="), let mode = UInt16(parts[1].dropFirst(5), radix: 8), mode <= 0o777
        else {
            return nil
        }
        return .unix(path: String(path), mode: mode)
    }

    private static func tcp(_ text: some StringProtocol) -> Place? {
        let host: Substring
        let portText: Substring
        if let colon = text.lastIndex(of: ":") {
            host = Substring(text[..<colon])
            portText = Substring(text[text.index(after: colon)...])
        } else {
            host = "127.0.0.1"
            portText = Substring(text)
        }
        guard let port = UInt16(portText), portText.allSatisfy(\.isNumber) else { return nil }
        let isBracketed = host.hasPrefix("[") && host.hasSuffix("]")
        let literal = host == "localhost" ? "127.0.0.1" : isBracketed ? host.dropFirst().dropLast() : host
        guard let address = IPAddress(literal) else { return nil }
        if case .v6 = address, !isBracketed { return nil }
        return .tcp(address, port: Int(port))
    }

    /// The address; nil when it is none of IP.
    public var address: IPAddress? {
        if case .tcp(let address, _) = self.place { address } else { nil }
    }

    /// The port; nil when there is none.
    public var port: Int? {
        if case .tcp(_, let port) = self.place { port } else { nil }
    }

    /// For a bind of one's own.
    ///
    /// - Throws: when the place is no address and port.
    package func socketAddress() throws -> SocketAddress {
        guard case .tcp(let address, let port) = self.place else {
            throw IOError(errnoCode: EAFNOSUPPORT, reason: "bind")
        }
        return try SocketAddress(ipAddress: "\(address)", port: port)
    }

    /// Whether only this host can connect.
    public var isLoopback: Bool {
        switch self.place {
        case .tcp(let address, _): address.isLoopback
        case .unix: true
        case .serviceManager: PassedSocket.all.allSatisfy { $0.address?.isLoopback ?? false }
        }
    }

    /// `address:port`, with brackets around IPv6; `unix:/path`; `systemd`.
    public var description: String {
        switch self.place {
        case .tcp(let address, let port): address.description(port: port)
        case .unix(let path, _): "unix:\(path)"
        case .serviceManager: "systemd"
        }
    }
}

extension ListenAddress {
    package init?(_ address: SocketAddress) {
        if let ip = IPAddress(address), let port = address.port {
            self.init(address: ip, port: port)
        } else if let path = address.pathname {
            self.init(.unix(path: path, mode: Self.defaultMode))
        } else {
            return nil
        }
    }
}
