package import HTTPTypes
package import NIOCore

/// A proxy's answer that is not a tunnel.
package struct ConnectRefusal: Sendable, Hashable {
    package var response: HTTPResponse
    /// The start of the body.
    package var body: ByteBuffer
    /// Whether more of the body came than is kept, or less than was announced.
    package var bodyTruncated: Bool

    package init(response: HTTPResponse, body: ByteBuffer = ByteBuffer(), bodyTruncated: Bool = false) {
        self.response = response
        self.body = body
        self.bodyTruncated = bodyTruncated
    }
}
