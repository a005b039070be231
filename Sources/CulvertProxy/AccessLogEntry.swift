import Foundation

/// What the proxy has to say of one request or tunnel, once it is over.
public struct AccessLogEntry: Sendable, Hashable {
    /// Who ended a tunnel first.
    public enum Closer: String, Sendable, Hashable {
        /// The client half-closed, closed or reset.
        case client
        /// The target, or the parent before it.
        case origin
        /// The proxy: a refusal, the idle timeout or the end of the drain.
        case proxy
    }

    /// When the request's head was complete, in seconds since 1970.
    public var timestamp: Double = 0
    /// The client's address and port.
    public var client = ""
    /// The user, once authenticated.
    public var user: String?
    /// The request's method; empty when the head was not readable.
    public var method = ""
    /// The request's target as it came, cut at 512 bytes.
    public var target = ""
    /// The status of the answer; 0 when the client left before one.
    public var status = 0
    /// Whether the request was let through.
    public var isAllowed = false
    /// The name of the rule that decided, where one with a name did.
    public var rule: String?
    /// Let through by report mode alone: enforced, the rule would have refused it.
    public var wouldBeDenied = false
    /// The limit that the request went beyond, by the name of its setting.
    public var limit: String?
    /// Why: the rule's words, the error, or how the tunnel ended.
    public var reason = ""
    /// The address that was dialled: the one that was checked, or the parent's.
    public var address: String?
    /// The parent that the request went out through, without credentials.
    public var parent: String?
    /// Bytes from the client to the target, inside the tunnel.
    public var bytesUp: UInt64 = 0
    /// Bytes from the target to the client, inside the tunnel.
    public var bytesDown: UInt64 = 0
    /// Looking up names, in milliseconds; part of ``connectMilliseconds``.
    public var resolveMilliseconds: Int64 = 0
    /// From the head to the answer, in milliseconds: name lookup, connect, parents.
    public var connectMilliseconds: Int64 = 0
    /// From the head to the end, in milliseconds.
    public var milliseconds: Int64 = 0
    /// Who ended it.
    public var closedBy = Closer.proxy

    /// An entry of which nothing is known yet.
    public init() {}

    /// One JSON object on one line, without the newline. Control characters are escaped, so that no request can
    /// forge a second line.
    public var json: String {
        var line = JSONLine()
        line.add("time", Date(timeIntervalSince1970: self.timestamp).formatted(.iso8601WithMilliseconds))
        line.add("client", self.client)
        if let user { line.add("user", user) }
        line.add("method", self.method)
        line.add("target", self.target)
        line.add("status", self.status)
        line.add("decision", self.isAllowed ? "allow" : "deny")
        if let rule { line.add("rule", rule) }
        if self.wouldBeDenied { line.add("enforced", "deny") }
        if let limit { line.add("limit", limit) }
        line.add("reason", self.reason)
        if let address { line.add("address", address) }
        if let parent { line.add("parent", parent) }
        line.add("bytesUp", self.bytesUp)
        line.add("bytesDown", self.bytesDown)
        line.add("resolveMilliseconds", self.resolveMilliseconds)
        line.add("connectMilliseconds", self.connectMilliseconds)
        line.add("milliseconds", self.milliseconds)
        line.add("closedBy", self.closedBy.rawValue)
        return line.finished
    }
}

extension FormatStyle where Self == Date.ISO8601FormatStyle {
    fileprivate static var iso8601WithMilliseconds: Self {
        Date.ISO8601FormatStyle(includingFractionalSeconds: true)
    }
}

/// A flat JSON object, member by member.
private struct JSONLine {
    private var text = "{"

    var finished: String { self.text + "}" }

    mutating func add(_ name: String, _ value: String) {
        self.begin(name)
        self.text += "\""
        for scalar in value.unicodeScalars {
            switch scalar {
            case "\"": self.text += "\\\""
            case "\\": self.text += "\\\\"
            // C0, DEL and C1: a terminal acts on them; U+2028 and U+2029 end a line for some readers; the others
            // turn the direction of what follows them.
            case "\u{0}"..."\u{1F}", "\u{7F}"..."\u{9F}", "\u{2028}"..."\u{202E}", "\u{2066}"..."\u{2069}":
                let digits = String(scalar.value, radix: 16)
                self.text += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            default: self.text.unicodeScalars.append(scalar)
            }
        }
        self.text += "\""
    }

    mutating func add(_ name: String, _ value: some BinaryInteger) {
        self.begin(name)
        self.text += String(value)
    }

    private mutating func begin(_ name: String) {
        self.text += self.text == "{" ? "\"\(name)\":" : ",\"\(name)\":"
    }
}
