internal import HTTPTypes
internal import NIOCore

/// Reads the body of a refusal: keeps its start, drains the rest within a bound, so that the connection can
/// be used for the next try.
struct RefusalReader: Sendable {
    /// 256 KiB: Squid's error page has 3 KB. Reading more costs more than a new connection.
    static let maxDrained = 256 << 10

    enum Progress {
        case needMore
        /// The refusal, and whether the connection can carry another request.
        case done(ConnectRefusal, keepsConnection: Bool)
    }

    private let head: ResponseHead
    private let framing: BodyFraming
    private let maxKept: Int
    private var decoder: BodyDecoder
    private var body = ByteBuffer()
    private var received = 0

    /// - Parameter maxKept: how much of the body's start is wanted, in octets.
    init(_ head: ResponseHead, toMethod method: HTTPRequest.Method = .connect, maxKept: Int) {
        self.head = head
        self.maxKept = maxKept
        // A lenient reading never throws; a framing nobody understands would end with the connection.
        framing = (try? BodyFraming.of(response: head, toMethod: method, lenient: true)) ?? .untilClose
        decoder = BodyDecoder(framing)
    }

    mutating func receive(_ buffer: inout ByteBuffer) -> Progress {
        while true {
            switch Result(catching: { () throws(WireError) in try decoder.decode(&buffer) }) {
            case .success(.data(var data)):
                received += data.readableBytes
                let room = min(maxKept - body.readableBytes, data.readableBytes)
                if room > 0, var start = data.readSlice(length: room) { body.writeBuffer(&start) }
                if received > Self.maxDrained || (framing == .untilClose && received > maxKept) {
                    return done(keepsConnection: false)
                }
            case .success(.needMore):
                return .needMore
            case .success(.end):
                // Bytes behind the answer belong to nothing we asked for: trust the connection no further.
                return done(keepsConnection: buffer.readableBytes == 0 && mayPersist)
            case .failure:
                return done(keepsConnection: false)
            }
        }
    }

    /// The proxy closed: what came is what there is.
    mutating func receiveEOF() -> ConnectRefusal {
        _ = try? decoder.receiveEOF()
        return refusal
    }

    private func done(keepsConnection: Bool) -> Progress {
        .done(refusal, keepsConnection: keepsConnection)
    }

    private var refusal: ConnectRefusal {
        ConnectRefusal(
            response: head.response, body: body,
            bodyTruncated: received > body.readableBytes || !decoder.isComplete)
    }

    /// Whether the connection can carry another request, once the body is read.
    var mayPersist: Bool {
        let fields = head.response.headerFields
        // RFC 9112 §6.1: with both, or with a coding on HTTP/1.0, close after the message.
        let isDubious =
            fields.contains(.transferEncoding) && (fields.contains(.contentLength) || head.minorVersion == 0)
        return head.keepsConnection && framing != .untilClose && !isDubious
    }
}
