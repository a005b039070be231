package import HTTPTypes
internal import HTTPWire
package import NIOCore

/// Why a request does not become a WebSocket, and the answer that says so (RFC 6455 §4.2.2, §4.4).
package struct ServerHandshakeRefusal: Error, Hashable, Sendable, CustomStringConvertible {
    package let status: HTTPResponse.Status
    /// One sentence, ours: nothing of the request is in it.
    package let reason: String
    /// Fields the status demands, such as `Sec-WebSocket-Version` of a 426.
    package let fields: HTTPFields

    /// Also for the application's own refusals, such as 403 for a foreign `Origin`.
    package init(_ status: HTTPResponse.Status, _ reason: String, _ fields: HTTPFields = [:]) {
        self.status = status
        self.reason = reason
        self.fields = fields
    }

    package var description: String { "\(status.code): \(reason)" }

    /// The whole answer with a short text; the connection is closed behind it, because what follows a refused
    /// upgrade may be frames.
    package func serialize() -> ByteBuffer {
        let body = reason + "\n"
        var response = HTTPResponse(status: status, headerFields: fields)
        let mayUpgrade = fields.contains(.upgrade)
        response.headerFields[.connection] = mayUpgrade ? "close, Upgrade" : "close"
        response.headerFields[.contentType] = "text/plain; charset=utf-8"
        response.headerFields[.contentLength] = String(body.utf8.count)
        var buffer = ByteBuffer()
        ResponseHead(response: response, minorVersion: 1).serialize(into: &buffer)
        buffer.writeString(body)
        return buffer
    }
}
