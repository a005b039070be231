internal import Crypto
internal import HTTPWire

/// `Sec-WebSocket-Key` and the `Sec-WebSocket-Accept` that answers it (RFC 6455 §4.1, §4.2.2).
struct HandshakeKey: Hashable, Sendable {
    /// As it stands in the request.
    let text: String

    /// The key made of a fresh nonce; nil unless it has 16 bytes.
    init?(nonce: [UInt8]) {
        guard nonce.count == 16 else { return nil }
        text = Base64.encode(nonce)
    }

    /// The key of a request; nil unless it is the Base64 of 16 bytes.
    init?(text: String) {
        guard Base64.decode(text)?.count == 16 else { return nil }
        self.text = text
    }

    /// What the server proves with that it understood the request as a WebSocket's. SHA-1 is no security here.
    var accept: String {
        var hash = Insecure.SHA1()
        hash.update(data: Array(text.utf8))
        hash.update(data: Array("258EAFA5-E914-47DA-95CA-C5AB0DC85B11".utf8))
        return Base64.encode(Array(hash.finalize()))
    }
}
