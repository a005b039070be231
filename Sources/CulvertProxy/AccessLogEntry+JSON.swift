import HTTPWire

extension AccessLogEntry {
    /// One JSON object on one line, without the newline. Control characters are escaped, so that no request can
    /// forge a second line.
    public var json: String {
        var text = LogText()
        self.addJSON(to: &text)
        return text.string
    }

    func addJSON(to text: inout LogText) {
        text.add("{\"time\":\"")
        text.addISO8601(milliseconds: self.timestampMilliseconds)
        text.add("\"")
        text.add("client", self.client)
        if let user { text.add("user", user) }
        text.add("method", self.method)
        text.add("target", self.target)
        text.add("status", Int64(self.status))
        text.add("decision", self.isAllowed ? "allow" : "deny")
        if let rule { text.add("rule", rule) }
        if self.wouldBeDenied { text.add("enforced", "deny") }
        if let limit { text.add("limit", limit) }
        text.add("reason", self.reason)
        if let address { text.add("address", address) }
        if let parent { text.add("parent", parent) }
        text.add("bytesUp", self.bytesUp)
        text.add("bytesDown", self.bytesDown)
        text.add("resolveMilliseconds", self.resolveMilliseconds)
        text.add("connectMilliseconds", self.connectMilliseconds)
        text.add("milliseconds", self.milliseconds)
        text.add("closedBy", self.closedBy.rawValue)
        text.add("}")
    }

    /// ``timestamp`` for text; a time that no clock shows is 1970.
    var timestampMilliseconds: UInt64 { UInt64(exactly: (self.timestamp * 1000).rounded()) ?? 0 }
}

/// The members of a flat object behind its first.
extension LogText {
    fileprivate mutating func add(_ name: String, _ value: String) {
        self.begin(name)
        self.add("\"")
        let isPlain = value.utf8.allSatisfy {
            (0x20...0x7E).contains($0) && $0 != UInt8(ascii: "\"") && $0 != UInt8(ascii: "\\")
        }
        if isPlain { self.add(value) } else { self.addEscaped(value) }
        self.add("\"")
    }

    fileprivate mutating func add(_ name: String, _ value: UInt64) {
        self.begin(name)
        self.add(value)
    }

    fileprivate mutating func add(_ name: String, _ value: Int64) {
        self.begin(name)
        self.add(value)
    }

    private mutating func begin(_ name: String) {
        self.add(",\"")
        self.add(name)
        self.add("\":")
    }

    private mutating func addEscaped(_ value: String) {
        for scalar in value.unicodeScalars {
            switch scalar {
            case "\"": self.add("\\\"")
            case "\\": self.add("\\\\")
            // C0, DEL and C1: a terminal acts on them; U+2028 and U+2029 end a line for some readers; the others
            // turn the direction of what follows them.
            case "\u{0}"..."\u{1F}", "\u{7F}"..."\u{9F}", "\u{2028}"..."\u{202E}", "\u{2066}"..."\u{2069}":
                self.add(escaped: scalar)
            default: self.add(String(scalar))
            }
        }
    }

    /// `2026-11-24T19:13:49.123Z`.
    fileprivate mutating func addISO8601(milliseconds: UInt64) {
        let date = CivilDate(secondsSince1970: Int64(clamping: milliseconds / 1000))
        self.add(UInt64(date.year), width: 4)
        self.add("-")
        self.add(UInt64(date.month), width: 2)
        self.add("-")
        self.add(UInt64(date.day), width: 2)
        self.add("T")
        self.add(UInt64(date.hour), width: 2)
        self.add(":")
        self.add(UInt64(date.minute), width: 2)
        self.add(":")
        self.add(UInt64(date.second), width: 2)
        self.add(".")
        self.add(milliseconds % 1000, width: 3)
        self.add("Z")
    }
}
