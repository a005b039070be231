package import HTTPTypes
package import NIOCore

extension HTTPFields {
    /// Appends every field line, then the blank line. `HTTPFields` holds no line breaks: it legalises values.
    package func serialize(into buffer: inout ByteBuffer) {
        for field in self {
            buffer.writeString(field.name.rawName)
            buffer.writeStaticString(": ")
            field.withUnsafeBytesOfValue { _ = buffer.writeBytes($0) }
            buffer.writeStaticString("\r\n")
        }
        buffer.writeStaticString("\r\n")
    }

    /// The members of a comma-separated list over all its lines, lower-cased, blanks and empty ones removed
    /// (RFC 9110 §5.6.1). For lists of tokens only: a quoted comma would split.
    package func tokens(_ name: HTTPField.Name) -> [String] {
        guard contains(name) else { return [] }
        return self[values: name].flatMap { value in
            value.utf8.split(separator: ASCII.comma).map { ASCII.trimmed($0) }.filter { !$0.isEmpty }
                .map { String(Substring($0)).lowercased() }
        }
    }

    /// `Connection` and the widespread `Proxy-Connection` decide; without them HTTP/1.1 persists, 1.0 not.
    package func keepsConnection(minorVersion: UInt8) -> Bool {
        let options = tokens(.connection) + tokens(.proxyConnection)
        if options.contains("close") { return false }
        return minorVersion >= 1 || options.contains("keep-alive")
    }
}

extension HTTPField.Name {
    /// Not registered, but what clients and proxies use between them.
    package static let proxyConnection = Self(literal: "Proxy-Connection")
    /// RFC 9110 §7.2.
    package static let host = Self(literal: "Host")

    init(literal name: String) {
        guard let parsed = Self(name) else {
            preconditionFailure("a literal field name in this file is a token")
        }
        self = parsed
    }
}
