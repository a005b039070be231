package import HTTPTypes
package import NIOCore

/// The head of an HTTP/1 request (RFC 9112 §3).
package struct RequestHead: Sendable, Hashable {
    package var method: HTTPRequest.Method
    /// The request-target as it stood on the line: an authority for CONNECT.
    package var target: String
    /// The `x` of `HTTP/1.x`.
    package var minorVersion: UInt8
    package var fields: HTTPFields

    package init(
        method: HTTPRequest.Method, target: String, minorVersion: UInt8 = 1, fields: HTTPFields = [:]
    ) {
        self.method = method
        self.target = target
        self.minorVersion = minorVersion
        self.fields = fields
    }

    /// A request of a user of the libraries, for HTTP/1.1: its authority becomes `Host` where that is missing.
    package init(_ request: HTTPRequest) {
        self.init(method: request.method, target: request.path ?? "/", fields: request.headerFields)
        if let authority = request.authority, fields[.host] == nil { fields[.host] = authority }
    }

    /// Appends the head with its blank line. The caller vouches for `target`: it holds no blank or control.
    package func serialize(into buffer: inout ByteBuffer) {
        buffer.writeString("\(method.rawValue) \(target) HTTP/1.\(minorVersion)\r\n")
        fields.serialize(into: &buffer)
    }

    /// The request for users of the libraries: its path is the target as it stood on the line, its authority `Host`.
    package var httpRequest: HTTPRequest {
        HTTPRequest(
            method: method, scheme: nil, authority: fields[.host], path: target, headerFields: fields)
    }

    /// Whether the sender lets the connection live on after this exchange (RFC 9112 §9.3).
    package var keepsConnection: Bool { fields.keepsConnection(minorVersion: minorVersion) }
}
