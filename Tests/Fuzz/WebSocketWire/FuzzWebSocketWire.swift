import NIOCore
import WebSocketWire

/// libFuzzer calls this with every input it makes up. The first byte chooses the target and, for frames, the role and
/// the limits; the rest is what the peer sends. A broken invariant traps, which libFuzzer records as a crash.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzWebSocketWire(_ data: UnsafePointer<UInt8>?, _ size: Int) -> CInt {
    guard let data, size > 0 else { return 0 }
    let choice = data[0]
    let bytes = ByteBuffer(bytes: UnsafeBufferPointer(start: data + 1, count: size - 1))
    switch choice & 0x07 {
    case 0: FuzzFrames.run(bytes, role: .client, choice: choice)
    case 1: FuzzFrames.run(bytes, role: .server, choice: choice)
    case 2: FuzzHandshake.answer(bytes)
    case 3: FuzzHandshake.request(bytes)
    default: FuzzDeflate.run(bytes, choice: choice)
    }
    return 0
}
