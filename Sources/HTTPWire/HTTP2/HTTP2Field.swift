/// One line of an HTTP/2 field section; a pseudo-header field's name begins with a colon (RFC 9113 §8.1).
package struct HTTP2Field: Sendable, Hashable {
    package let name: String
    package let value: String

    package init(_ name: String, _ value: String) {
        self.name = name
        self.value = value
    }

    /// Fields that belong to one HTTP/1 connection; HTTP/2 says the same by its frames (RFC 9113 §8.2.2).
    static let ofConnections: Set<String> = [
        "connection", "proxy-connection", "keep-alive", "transfer-encoding", "upgrade",
    ]
}
