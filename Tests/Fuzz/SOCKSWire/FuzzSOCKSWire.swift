// The first octet of an input picks what is fuzzed, the rest is its input.

import NIOCore
import PortWire
import SOCKSWire

/// Ends the run: libFuzzer saves the input of a trapped process.
func require(_ condition: Bool, _ rule: StaticString) {
    if !condition { fatalError("\(rule)") }
}

/// Checks every property of one input; a broken one traps.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzSOCKSWire(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    let input = UnsafeBufferPointer(start: start, count: count)
    guard let selector = input.first else { return 0 }
    let bytes = Array(input.dropFirst())
    switch selector % 5 {
    case 0: ServerProperties.check(bytes, users: false)
    case 1: ServerProperties.check(bytes, users: true)
    case 2: ClientProperties.check(bytes, .socks5)
    case 3: ClientProperties.check(bytes, .socks4a)
    default: HeaderProperties.check(bytes)
    }
    return 0
}

/// The octets in packets of a size.
func packets(_ bytes: [UInt8], of size: Int) -> [ByteBuffer] {
    stride(from: 0, to: bytes.count, by: max(1, size)).map {
        ByteBuffer(bytes: bytes[$0..<min(bytes.count, $0 + max(1, size))])
    }
}
