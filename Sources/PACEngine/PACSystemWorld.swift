import Foundation
package import HTTPWire
package import ProxyRoutes

/// The world of a process of its own: its name service, its clock, its addresses.
package final class PACSystemWorld: PACFunction.World {
    /// What the script told.
    package private(set) var alerts: [String] = []

    /// A script in a loop must not fill the memory of who reads it.
    private static let maxAlerts = 20
    private static let maxAlertLength = 400

    package init() {}

    package func alert(_ message: String) {
        if self.alerts.count < Self.maxAlerts {
            self.alerts.append(String(message.prefix(Self.maxAlertLength)))
        }
    }

    package func addresses(of name: String) -> [IPAddress] {
        var hints = addrinfo()
        #if canImport(Glibc)
            hints.ai_socktype = CInt(SOCK_STREAM.rawValue)
        #else
            hints.ai_socktype = CInt(SOCK_STREAM)
        #endif
        var list: UnsafeMutablePointer<addrinfo>?
        guard getaddrinfo(name, nil, &hints, &list) == 0 else { return [] }
        defer { freeaddrinfo(list) }
        var addresses: [IPAddress] = []
        var next = list
        while let entry = next {
            if let address = Self.address(entry.pointee.ai_addr, entry.pointee.ai_addrlen) {
                addresses.append(address)
            }
            next = entry.pointee.ai_next
        }
        return addresses
    }

    /// The address by which a packet would leave: no packet is sent to find out.
    package var ownAddresses: [IPAddress] {
        // Public name servers, as browsers ask for; any address of the Internet would do.
        [(AF_INET, "8.8.8.8"), (AF_INET6, "2001:4860:4860::8888")].compactMap { family, peer in
            Self.localAddress(family: family, towards: peer)
        }
    }

    package func now(isGMT: Bool) -> PACMoment {
        var seconds = time(nil)
        var parts = tm()
        if isGMT { gmtime_r(&seconds, &parts) } else { localtime_r(&seconds, &parts) }
        return PACMoment(
            year: Int(parts.tm_year) + 1900, month: Int(parts.tm_mon) + 1, day: Int(parts.tm_mday),
            weekday: Int(parts.tm_wday), hour: Int(parts.tm_hour), minute: Int(parts.tm_min),
            second: Int(parts.tm_sec))
    }

    private static func localAddress(family: CInt, towards peer: String) -> IPAddress? {
        var hints = addrinfo()
        hints.ai_family = family
        #if canImport(Glibc)
            hints.ai_socktype = CInt(SOCK_DGRAM.rawValue)
        #else
            hints.ai_socktype = CInt(SOCK_DGRAM)
        #endif
        hints.ai_flags = AI_NUMERICHOST
        var list: UnsafeMutablePointer<addrinfo>?
        guard getaddrinfo(peer, "53", &hints, &list) == 0, let entry = list?.pointee else { return nil }
        defer { freeaddrinfo(list) }
        let descriptor = socket(entry.ai_family, entry.ai_socktype, 0)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var storage = sockaddr_storage()
        var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
        guard connect(descriptor, entry.ai_addr, entry.ai_addrlen) == 0 else { return nil }
        return withUnsafeMutablePointer(to: &storage) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                getsockname(descriptor, address, &length) == 0 ? self.address(address, length) : nil
            }
        }
    }

    private static func address(_ address: UnsafeMutablePointer<sockaddr>?, _ length: socklen_t) -> IPAddress?
    {
        guard let address else { return nil }
        var text = [CChar](repeating: 0, count: Int(NI_MAXHOST))
        guard getnameinfo(address, length, &text, socklen_t(text.count), nil, 0, NI_NUMERICHOST) == 0 else {
            return nil
        }
        return text.withUnsafeBufferPointer { $0.baseAddress.flatMap { IPAddress(String(cString: $0)) } }
    }
}
