import HTTPTypes
import HTTPWire

/// The names by which the admin listener may be called.
///
/// A page of the web can point its own name at this address and then read whatever is served there (DNS rebinding).
/// It cannot do so with an address, nor with a name that is not its own.
struct AdminHosts: Sendable {
    private let names: Set<String>

    init(_ names: [String]) {
        self.names = Set(names.map { $0.lowercased() } + ["localhost"])
    }

    func admit(_ request: HTTPRequest) -> Bool {
        // Browsers always send one; HTTP/1.0 scrapers may not.
        guard let host = request.headerFields[.host] ?? request.authority else { return true }
        guard let authority = try? Authority(host, defaultPort: 80) else { return false }
        switch authority.host {
        case .address: return true
        case .name(let name): return self.names.contains(name)
        }
    }
}
