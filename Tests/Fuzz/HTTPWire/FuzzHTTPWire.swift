// The first octet of an input picks what is fuzzed, the rest is its input.

import HTTPWire
import NIOCore

/// Ends the run: libFuzzer saves the input of a trapped process.
func require(_ condition: Bool, _ rule: StaticString) {
    if !condition { fatalError("\(rule)") }
}

/// Checks every property of one input; a broken one traps.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzHTTPWire(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    let input = UnsafeBufferPointer(start: start, count: count)
    guard let selector = input.first else { return 0 }
    let bytes = Array(input.dropFirst())
    switch selector % 9 {
    case 0: HeadProperties.request(bytes)
    case 1: HeadProperties.response(bytes, mode: .strict)
    case 2: HeadProperties.response(bytes, mode: .lenient)
    case 3: BodyProperties.check(.chunked, bytes)
    case 4: BodyProperties.check(.length(7), bytes)
    case 5: AuthorityProperties.check(bytes)
    case 6: MachineProperties.client(bytes)
    case 7: MachineProperties.server(bytes)
    default: ForwardProperties.check(bytes)
    }
    return 0
}
