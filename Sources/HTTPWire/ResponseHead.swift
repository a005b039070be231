package import HTTPTypes
package import NIOCore

/// The head of an HTTP/1 response (RFC 9112 §4).
package struct ResponseHead: Sendable, Hashable {
    package var response: HTTPResponse
    /// The `x` of `HTTP/1.x`.
    package var minorVersion: UInt8

    package init(response: HTTPResponse, minorVersion: UInt8 = 1) {
        self.response = response
        self.minorVersion = minorVersion
    }

    /// Appends the head with its blank line. The status code goes out with three digits.
    package func serialize(into buffer: inout ByteBuffer) {
        let status = response.status
        let code = String(status.code)
        let padding = String(repeating: "0", count: max(0, 3 - code.count))
        buffer.writeString("HTTP/1.\(minorVersion) \(padding)\(code) \(status.reasonPhrase)\r\n")
        response.headerFields.serialize(into: &buffer)
    }

    /// Whether the sender lets the connection live on after this exchange (RFC 9112 §9.3).
    package var keepsConnection: Bool { response.headerFields.keepsConnection(minorVersion: minorVersion) }
}
