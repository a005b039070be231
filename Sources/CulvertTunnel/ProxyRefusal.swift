public import HTTPTypes
import HTTPWire
import NIOCore
public import ProxyAuth

/// A proxy's answer that is no tunnel: status, fields, challenges and the start of the body.
public struct ProxyRefusal: Sendable, Hashable {
    /// Status and header fields as the proxy sent them.
    public let response: HTTPResponse
    /// The challenges of a 407.
    public let challenges: [Challenge]
    /// The start of the body, as text.
    public let body: String
    /// Whether the body went on behind ``body``.
    public let isBodyTruncated: Bool

    init(_ refusal: ConnectRefusal, challenges: [Challenge] = []) {
        self.response = refusal.response
        self.challenges = challenges
        self.body = String(buffer: refusal.body)
        self.isBodyTruncated = refusal.bodyTruncated
    }

    /// The status line's code and reason.
    public var status: String { self.response.statusText }
}

extension HTTPResponse {
    /// The status code, and the reason phrase where there is one.
    package var statusText: String {
        let reason = self.status.reasonPhrase
        return reason.isEmpty ? "\(self.status.code)" : "\(self.status.code) \(reason)"
    }
}
