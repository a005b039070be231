public import HTTPWire

/// Where a proxy auto-configuration script is.
public enum ProxyScriptSource: Sendable, Hashable, CustomStringConvertible {
    /// A file; read again when it changes.
    case file(String)
    /// Fetched directly, without a proxy, and again from time to time.
    case web(Location)
    /// `http://wpad/wpad.dat`, the name completed by the resolver's search domains (WPAD by DNS). Whoever answers for that
    /// name on the network decides where traffic goes: only where one is asked to trust it.
    case wpad

    /// An `http` or `https` URL, parsed.
    public struct Location: Sendable, Hashable {
        /// Whether it is fetched inside TLS.
        public let isSecure: Bool
        /// Whom to ask.
        public let authority: Authority
        /// Path and query.
        public let resource: String
    }

    /// Reads a path, or a `file`, `http` or `https` URL; nil for what is none.
    public init?(_ text: String) {
        guard let separator = text.firstRange(of: "://") else {
            guard !text.isEmpty else { return nil }
            self = .file(text)
            return
        }
        let rest = text[separator.upperBound...]
        switch text[..<separator.lowerBound].lowercased() {
        case "file":
            guard rest.hasPrefix("/"), let path = PercentEncoding.decoded(ArraySlice(rest.utf8)) else {
                return nil
            }
            self = .file(path)
        case "http":
            guard let location = Location(rest, isSecure: false) else { return nil }
            self = .web(location)
        case "https":
            guard let location = Location(rest, isSecure: true) else { return nil }
            self = .web(location)
        default: return nil
        }
    }

    /// The path or URL.
    public var description: String {
        switch self {
        case .file(let path): path
        case .web(let location): location.description
        case .wpad: "http://wpad/wpad.dat"
        }
    }
}

extension ProxyScriptSource.Location: CustomStringConvertible {
    /// - Parameter text: what stands behind `://`.
    init?(_ text: Substring, isSecure: Bool) {
        guard text.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F }) else { return nil }
        let end = text.firstIndex { "/?#".contains($0) } ?? text.endIndex
        guard let authority = try? Authority(text[..<end], defaultPort: isSecure ? 443 : 80) else {
            return nil
        }
        let resource = text[end...].prefix { $0 != "#" }
        self.isSecure = isSecure
        self.authority = authority
        self.resource = resource.hasPrefix("/") ? String(resource) : "/" + resource
    }

    /// Over plain HTTP.
    init(_ authority: Authority, _ resource: String) {
        self.isSecure = false
        self.authority = authority
        self.resource = resource
    }

    /// The URL.
    public var description: String {
        "\(self.isSecure ? "https" : "http")://\(self.authority)\(self.resource)"
    }
}
