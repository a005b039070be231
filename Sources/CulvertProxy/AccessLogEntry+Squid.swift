extension AccessLogEntry {
    /// One line of Squid's native format, without the newline: what log analysers of two decades read.
    ///
    /// Time, milliseconds, client, result and status, bytes to the client, method, target, user, way and peer, type
    /// of the content (never known here). Blanks and control characters are percent-encoded, so that no request can
    /// forge a field or a line.
    public var squid: String {
        var text = LogText()
        self.addSquid(to: &text)
        return text.string
    }

    func addSquid(to text: inout LogText) {
        let blank = UInt8(ascii: " ")
        text.add(self.timestampMilliseconds / 1000)
        text.add(".")
        text.add(self.timestampMilliseconds % 1000, width: 3)
        text.add(" ")
        text.add(UInt64(clamping: self.milliseconds), width: 6, filler: blank)
        text.add(" ")
        text.add(field: Self.host(of: self.client))
        text.add(" ")
        text.add(self.squidResult)
        text.add("/")
        text.add(UInt64(clamping: self.status), width: 3)
        text.add(" ")
        text.add(self.bytesDown)
        text.add(" ")
        text.add(field: self.method.isEmpty ? "NONE" : self.method)
        text.add(" ")
        text.add(field: self.method.isEmpty ? "error:invalid-request" : self.target)
        text.add(" ")
        text.add(field: self.user ?? "", alsoPercent: true)
        text.add(" ")
        self.addSquidPeer(to: &text)
        text.add(" -")
    }

    /// Squid's word for what became of a request.
    private var squidResult: String {
        switch self.status {
        case 0: "NONE_ABORTED"
        case _ where self.method.isEmpty: "NONE_NONE"
        case 403, 407, 429: self.isAllowed ? "TCP_MISS" : "TCP_DENIED"
        case _ where self.method == "CONNECT": "TCP_TUNNEL"
        default: "TCP_MISS"
        }
    }

    private func addSquidPeer(to text: inout LogText) {
        if let parent {
            text.add("FIRSTUP_PARENT/")
            text.add(field: parent)
        } else if let address {
            text.add("HIER_DIRECT/")
            text.add(field: Self.host(of: address))
        } else {
            text.add("HIER_NONE/-")
        }
    }

    /// An address without its port and brackets.
    private static func host(of address: String) -> String {
        guard let colon = address.utf8.lastIndex(of: UInt8(ascii: ":")) else { return address }
        let host = address[..<colon]
        return String(host.utf8.first == UInt8(ascii: "[") ? host.dropFirst().dropLast() : host)
    }
}

extension LogText {
    fileprivate mutating func add(field text: String, alsoPercent: Bool = false) {
        if text.isEmpty { self.add("-") }
        for byte in text.utf8 {
            if (0x21...0x7E).contains(byte), byte != UInt8(ascii: "%") || !alsoPercent {
                self.add(byte)
            } else {
                self.add(percentEncoded: byte)
            }
        }
    }
}
