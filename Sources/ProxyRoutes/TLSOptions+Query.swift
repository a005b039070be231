import HTTPWire

extension TLSOptions {
    /// Takes the options out of a proxy URL's query; nil when there is none.
    ///
    /// - Parameter text: what follows the user info; loses the query.
    static func take(fromQueryOf text: inout Substring) throws(ProxyURLError) -> TLSOptions? {
        guard let mark = text.firstIndex(of: "?") else { return nil }
        var values: [Substring: String] = [:]
        for item in text[text.index(after: mark)...].split(separator: "&", omittingEmptySubsequences: false) {
            let parts = item.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard parts.count == 2, !parts[1].isEmpty, values[parts[0]] == nil,
                let value = PercentEncoding.decoded(ArraySlice(parts[1].utf8))
            else { throw ProxyURLError(reason: .queryNotUnderstood) }
            values[parts[0]] = value
        }
        text = text[..<mark]
        var options = TLSOptions()
        options.serverName = values.removeValue(forKey: "servername")
        if let file = values.removeValue(forKey: "ca") { options.trustRoots = .file(file) }
        switch (values.removeValue(forKey: "cert"), values.removeValue(forKey: "key")) {
        case (let certificate?, let key?):
            options.identity = Identity(certificateChainFile: certificate, privateKeyFile: key)
        case (nil, nil): break
        default: throw ProxyURLError(reason: .queryNotUnderstood)
        }
        guard values.isEmpty else { throw ProxyURLError(reason: .queryNotUnderstood) }
        return options
    }
}
