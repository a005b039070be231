import NIOCore
import PortWire

/// What must hold of the PROXY protocol's parser for any octets.
enum HeaderProperties {
    private struct Outcome: Equatable {
        var header: ProxyProtocolHeader?
        var hasFailed = false
        var rest: [UInt8] = []
    }

    static func check(_ bytes: [UInt8]) {
        let whole = self.run(bytes, packet: bytes.count)
        require(whole == self.run(bytes, packet: 1), "a header parses the same byte by byte")
    }

    private static func run(_ bytes: [UInt8], packet: Int) -> Outcome {
        var buffer = ByteBuffer()
        var outcome = Outcome()
        for piece in packets(bytes, of: packet) {
            buffer.writeImmutableBuffer(piece)
            guard outcome.header == nil, !outcome.hasFailed else { continue }
            let before = buffer.readableBytes
            do {
                outcome.header = try ProxyProtocolHeader.parse(&buffer)
                require(outcome.header != nil || buffer.readableBytes == before, "nothing is taken early")
            } catch {
                outcome.hasFailed = true
            }
        }
        if outcome.header != nil { outcome.rest = Array(buffer.readableBytesView) }
        return outcome
    }
}
