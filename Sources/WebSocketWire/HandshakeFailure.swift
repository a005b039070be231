package import HTTPTypes
package import HTTPWire

/// The other side of an opening handshake did not answer as RFC 6455 §4.1 demands.
package struct HandshakeFailure: Error, Hashable, Sendable, CustomStringConvertible {
    /// Which rule was broken.
    package enum Reason: Hashable, Sendable {
        /// The bytes do not start an HTTP answer; their start, escaped.
        case notHTTP(start: String)
        /// The connection ended before the head was complete.
        case closed(afterBytes: Int)
        /// A head that breaks HTTP.
        case wire(WireError)
        /// More interim answers than any server sends.
        case tooManyInterimResponses
        /// A 101 in HTTP/1.0, which knows no upgrade.
        case version
        /// A 101 without `Upgrade`.
        case upgradeMissing
        /// A 101 that upgrades to something else.
        case upgradeWrong
        /// A 101 without `upgrade` in `Connection`.
        case connectionMissing
        case acceptMissing
        /// Not the answer to our key: something that does not know WebSocket replays or guesses.
        case acceptWrong
        case severalAccepts
        case subprotocolNotOffered(String)
        case severalSubprotocols
        case extensionNotOffered(String)
        case extensionMalformed(String)
        /// An answer to permessage-deflate that RFC 7692 or our offer does not allow; why, in our words.
        case compressionWrong(String)
    }

    package let reason: Reason
    /// The head, when there was one.
    package let response: HTTPResponse?

    package init(_ reason: Reason, response: HTTPResponse? = nil) {
        self.reason = reason
        self.response = response
    }

    package var description: String {
        switch reason {
        case .notHTTP(let start): "the server did not answer in HTTP, but with \"\(start)\""
        case .closed(0): "the server closed the connection without an answer"
        case .closed(let count): "the server closed the connection after \(count) bytes of its answer"
        case .wire(let error): "the server's answer is malformed: \(error)"
        case .tooManyInterimResponses:
            "the server sent more than \(ClientHandshake.maxInterimResponses) interim answers"
        case .version: "the 101 is of a version of HTTP that knows no upgrade"
        case .upgradeMissing: "the 101 has no Upgrade field"
        case .upgradeWrong: "the 101 upgrades to something else than a WebSocket"
        case .connectionMissing: "the 101 does not name \"upgrade\" in Connection"
        case .acceptMissing: "the 101 has no Sec-WebSocket-Accept"
        case .acceptWrong: "the Sec-WebSocket-Accept of the 101 does not answer our key"
        case .severalAccepts: "the 101 has more than one Sec-WebSocket-Accept"
        case .subprotocolNotOffered(let name):
            "the server chose the subprotocol \(name.debugDescription), which was not offered"
        case .severalSubprotocols: "the server chose more than one subprotocol"
        case .extensionNotOffered(let name):
            "the server chose the extension \(name.debugDescription), which was not offered"
        case .extensionMalformed(let text): "the server's extension \(text.debugDescription) is malformed"
        case .compressionWrong(let detail): "the server's answer to permessage-deflate is wrong: \(detail)"
        }
    }
}
