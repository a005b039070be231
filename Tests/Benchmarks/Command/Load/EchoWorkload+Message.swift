#if os(Linux)
    import NIOCore
    import WebSocketWire

    extension EchoWorkload {
        /// A binary message to a WebSocket echo server: the same masked frame each time, and its echo in one frame.
        static func message(bytes: Int, repeats: Bool) -> EchoWorkload {
            let payload = ByteBuffer(repeating: UInt8(ascii: "x"), count: bytes)
            var request = ByteBuffer()
            var answer = ByteBuffer()
            writeFrame(opcode: .binary, payload: payload, maskKey: 0x1234_5678, into: &request)
            writeFrame(opcode: .binary, payload: payload, maskKey: nil, into: &answer)
            return EchoWorkload(
                Array(request.readableBytesView), answer: Array(answer.readableBytesView), repeats: repeats)
        }
    }
#endif
