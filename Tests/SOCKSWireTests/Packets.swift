import NIOCore

/// Every way a test cuts octets into packets: whole, one by one, and in two at each point.
func cuts(_ bytes: [UInt8]) -> [[ByteBuffer]] {
    let whole = [[ByteBuffer(bytes: bytes)], bytes.map { ByteBuffer(bytes: [$0]) }]
    guard bytes.count > 1 else { return whole }
    return whole
        + (1..<bytes.count).map { [ByteBuffer(bytes: bytes[..<$0]), ByteBuffer(bytes: bytes[$0...])] }
}

func octets(_ parts: any Sequence<UInt8>...) -> [UInt8] { parts.flatMap { Array($0) } }

/// A text behind its length.
func counted(_ text: String) -> [UInt8] { [UInt8(text.utf8.count)] + Array(text.utf8) }
