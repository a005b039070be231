import HTTPTypes
import HTTPWire
import NIOCore

/// What must hold of the body decoder for any octets.
enum BodyProperties {
    private struct Outcome: Equatable {
        var data: [UInt8] = []
        var trailers: HTTPFields?
        var ended = false
        /// Not its detail, which shows the bytes that had come.
        var error: WireError.Code?
        var consumed = 0
    }

    static func check(_ framing: BodyFraming, _ bytes: [UInt8]) {
        let whole = run(framing, bytes, packet: bytes.count)
        require(whole == run(framing, bytes, packet: 1), "a body decodes the same byte by byte")
        require(whole == run(framing, bytes, packet: 3), "a body decodes the same in threes")
        require(whole.data.count <= bytes.count, "no more comes out than went in")
    }

    private static func run(_ framing: BodyFraming, _ bytes: [UInt8], packet: Int) -> Outcome {
        var decoder = BodyDecoder(framing, maxTrailerBytes: 64)
        var buffer = ByteBuffer()
        var outcome = Outcome()
        for start in stride(from: 0, to: bytes.count, by: max(1, packet)) {
            let end = min(bytes.count, start + packet)
            buffer.writeBytes(bytes[start..<end])
            do {
                var waits = false
                while !waits {
                    switch try decoder.decode(&buffer) {
                    case .needMore: waits = true
                    case .data(let data):
                        require(data.readableBytes > 0, "no empty data: a reader would spin")
                        outcome.data += Array(data.readableBytesView)
                    case .end(let trailers):
                        require(decoder.isComplete, "an ended body is complete")
                        (outcome.ended, outcome.trailers) = (true, trailers)
                        outcome.consumed = end - buffer.readableBytes
                        return outcome
                    }
                }
            } catch {
                // How much data came out before the error depends on the packets; the error does not.
                outcome.data = []
                outcome.error = error.code
                return outcome
            }
        }
        return outcome
    }
}
