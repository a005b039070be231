import NIOCore

@testable import HTTPWire

/// Every way a test cuts a message into packets: whole, byte by byte, and in two at each point.
enum Feeding {
    static func cuts(_ text: String, everySplit: Bool = true) -> [[ByteBuffer]] {
        let bytes = Array(text.utf8)
        let whole = [[ByteBuffer(bytes: bytes)], bytes.map { ByteBuffer(bytes: [$0]) }]
        guard everySplit, bytes.count > 1 else { return whole }
        return whole
            + (1..<bytes.count).map { [ByteBuffer(bytes: bytes[..<$0]), ByteBuffer(bytes: bytes[$0...])] }
    }
}

extension ByteBuffer {
    var text: String { String(decoding: readableBytesView, as: UTF8.self) }
}

/// What a parser made of a message, and what it left.
struct Parsed<Head: Hashable>: Hashable {
    var head: Head?
    var error: WireError.Code?
    var rest = ""
}

func parseRequest(
    _ packets: [ByteBuffer], limits: HTTPLimits = .serving
) -> Parsed<RequestHead> {
    var parser = HeadParser(mode: .strict, limits: limits)
    return parse(packets) { (buffer) throws(WireError) in try parser.parseRequest(&buffer) }
}

func parseResponse(
    _ packets: [ByteBuffer], mode: HeadParser.Mode = .lenient, limits: HTTPLimits = .answer
) -> Parsed<ResponseHead> {
    var parser = HeadParser(mode: mode, limits: limits)
    return parse(packets) { (buffer) throws(WireError) in try parser.parseResponse(&buffer) }
}

private func parse<Head: Hashable>(
    _ packets: [ByteBuffer], _ step: (inout ByteBuffer) throws(WireError) -> Head?
) -> Parsed<Head> {
    var buffer = ByteBuffer()
    var result = Parsed<Head>()
    for packet in packets {
        buffer.writeImmutableBuffer(packet)
        guard result.head == nil, result.error == nil else { continue }
        let before = buffer.readableBytes
        do {
            result.head = try step(&buffer)
            if result.head == nil, buffer.readableBytes != before { result.rest = "consumed early!" }
        } catch {
            result.error = error.code
        }
    }
    if result.head != nil { result.rest += buffer.text }
    return result
}
