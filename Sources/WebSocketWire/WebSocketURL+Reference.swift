internal import HTTPWire

extension WebSocketURL {
    /// The URL that a `Location` field names, relative to this one (RFC 3986 §5.2, RFC 9110 §10.2.2).
    ///
    /// User and password of this URL go along to the same origin only; those of the reference never, since they
    /// would be the server's choice. A fragment is left out.
    package func resolving(reference: String) throws(WebSocketURLError) -> WebSocketURL {
        let reference = reference.prefix { $0 != "#" }
        let origin = "\(isSecure ? "wss" : "ws")://\(hostField)"
        var target: WebSocketURL
        if let scheme = Self.scheme(of: reference), !scheme.isEmpty {
            target = try WebSocketURL(reference)
        } else if reference.hasPrefix("//") {
            target = try WebSocketURL("\(isSecure ? "wss" : "ws"):\(reference)")
        } else {
            target = try WebSocketURL(origin + merged(reference))
        }
        target.credentials = hasSameOrigin(as: target) ? credentials : nil
        return target
    }

    /// Whether scheme, host and port are the same (RFC 6454 §5).
    package func hasSameOrigin(as other: WebSocketURL) -> Bool {
        isSecure == other.isSecure && authority == other.authority
    }

    private static func scheme(of reference: Substring) -> Substring? {
        guard let end = reference.firstIndex(where: { ":/?".contains($0) }), reference[end] == ":" else {
            return nil
        }
        return reference[..<end]
    }

    /// RFC 3986 §5.2.2 and §5.2.3 for a reference without a scheme and an authority.
    private func merged(_ reference: Substring) -> String {
        let base = resource.prefix { $0 != "?" }
        if reference.isEmpty { return resource }
        if reference.hasPrefix("?") { return String(base + reference) }
        let path = reference.prefix { $0 != "?" }
        let query = reference.dropFirst(path.count)
        if path.hasPrefix("/") { return Self.removingDotSegments(path) + query }
        let folder = base[...(base.lastIndex(of: "/") ?? base.startIndex)]
        return Self.removingDotSegments(folder + path) + query
    }

    /// RFC 3986 §5.2.4.
    private static func removingDotSegments(_ path: Substring) -> String {
        var kept: [Substring] = []
        let segments = path.split(separator: "/", omittingEmptySubsequences: false).dropFirst()
        for (index, segment) in segments.enumerated() {
            let isLast = index == segments.count - 1
            switch segment {
            case ".": if isLast { kept.append("") }
            case "..":
                _ = kept.popLast()
                if isLast { kept.append("") }
            default: kept.append(segment)
            }
        }
        return "/" + kept.joined(separator: "/")
    }
}
