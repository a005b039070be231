extension AccessLogEntry {
    /// One line of Squid's native format, without the newline: what log analysers of two decades read.
    ///
    /// Time, milliseconds, client, result and status, bytes to the client, method, target, user, way and peer, type
    /// of the content (never known here). Blanks and control characters are percent-encoded, so that no request can
    /// forge a field or a line.
    public var squid: String {
        let milliseconds = Int64(exactly: (self.timestamp * 1000).rounded()) ?? 0
        return [
            "\(milliseconds / 1000).\(Self.padded(String(milliseconds % 1000), to: 3, with: "0"))",
            Self.padded(String(self.milliseconds), to: 6, with: " "),
            Self.escaped(Self.host(of: self.client)),
            "\(self.squidResult)/\(Self.padded(String(self.status), to: 3, with: "0"))",
            String(self.bytesDown),
            self.method.isEmpty ? "NONE" : Self.escaped(self.method),
            self.method.isEmpty ? "error:invalid-request" : Self.escaped(self.target),
            Self.escaped(self.user ?? "", alsoPercent: true),
            self.squidPeer,
            "-",
        ].joined(separator: " ")
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

    private var squidPeer: String {
        if let parent { return "FIRSTUP_PARENT/\(Self.escaped(parent))" }
        guard let address else { return "HIER_NONE/-" }
        return "HIER_DIRECT/\(Self.escaped(Self.host(of: address)))"
    }

    /// An address without its port and brackets.
    private static func host(of address: String) -> String {
        guard let colon = address.lastIndex(of: ":") else { return address }
        return address[..<colon].filter { $0 != "[" && $0 != "]" }
    }

    private static func padded(_ text: String, to width: Int, with filler: Character) -> String {
        String(repeating: filler, count: max(0, width - text.count)) + text
    }

    private static func escaped(_ text: String, alsoPercent: Bool = false) -> String {
        guard !text.isEmpty else { return "-" }
        var line = ""
        for byte in text.utf8 {
            if (0x21...0x7E).contains(byte), byte != UInt8(ascii: "%") || !alsoPercent {
                line.unicodeScalars.append(Unicode.Scalar(byte))
            } else {
                line += "%" + Self.padded(String(byte, radix: 16, uppercase: true), to: 2, with: "0")
            }
        }
        return line
    }
}
