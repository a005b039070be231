import HTTPTypes
import Testing

@testable import HTTPWire

@Suite struct BodyFramingTests {
    static func fields(_ pairs: [(String, String)]) -> HTTPFields {
        HTTPFields(
            pairs.compactMap { pair in HTTPField.Name(pair.0).map { HTTPField(name: $0, value: pair.1) } })
    }

    @Test(
        "a request's framing",
        arguments: [
            ([], 1, .none), ([("Content-Length", "0")], 1, .none), ([("Content-Length", "5")], 1, .length(5)),
            ([("Content-Length", "5"), ("Content-Length", "5")], 1, .length(5)),
            ([("Content-Length", "5, 5")], 1, .length(5)), ([("Content-Length", "005")], 1, .length(5)),
            ([("Content-Length", "999999999999999999")], 0, .length(999_999_999_999_999_999)),
            ([("Transfer-Encoding", "chunked")], 1, .chunked),
            ([("transfer-encoding", "Chunked")], 1, .chunked),
        ] as [([(String, String)], UInt8, BodyFraming)])
    func request(pairs: [(String, String)], minor: UInt8, expected: BodyFraming) throws {
        let head = RequestHead(method: .post, target: "/", minorVersion: minor, fields: Self.fields(pairs))
        #expect(try BodyFraming.of(request: head) == expected)
    }

    @Test(
        "a request whose framing has two readings is refused",
        arguments: [
            ([("Content-Length", "5"), ("Transfer-Encoding", "chunked")], 1, .conflictingFraming),
            ([("Content-Length", "0"), ("Transfer-Encoding", "chunked")], 1, .conflictingFraming),
            ([("Content-Length", "5"), ("Content-Length", "6")], 1, .conflictingFraming),
            ([("Content-Length", "5, 6")], 1, .conflictingFraming),
            ([("Content-Length", "")], 1, .malformedContentLength),
            ([("Content-Length", "+5")], 1, .malformedContentLength),
            ([("Content-Length", "-5")], 1, .malformedContentLength),
            ([("Content-Length", "0x5")], 1, .malformedContentLength),
            ([("Content-Length", "5 5")], 1, .malformedContentLength),
            ([("Content-Length", "5,")], 1, .malformedContentLength),
            ([("Content-Length", "18446744073709551617")], 1, .malformedContentLength),
            ([("Content-Length", "1_000")], 1, .malformedContentLength),
            ([("Content-Length", "٥")], 1, .malformedContentLength),
            ([("Transfer-Encoding", "chunked")], 0, .unsupportedTransferCoding),
            ([("Transfer-Encoding", "gzip, chunked")], 1, .unsupportedTransferCoding),
            ([("Transfer-Encoding", "chunked, chunked")], 1, .unsupportedTransferCoding),
            (
                [("Transfer-Encoding", "chunked"), ("Transfer-Encoding", "chunked")], 1,
                .unsupportedTransferCoding
            ),
            (
                [("Transfer-Encoding", "chunked"), ("Transfer-Encoding", "identity")], 1,
                .unsupportedTransferCoding
            ),
            ([("Transfer-Encoding", "xchunked")], 1, .unsupportedTransferCoding),
            ([("Transfer-Encoding", "")], 1, .unsupportedTransferCoding),
            ([("Transfer-Encoding", "\"chunked\"")], 1, .unsupportedTransferCoding),
            ([("Transfer-Encoding", "chunked;a=b")], 1, .unsupportedTransferCoding),
        ] as [([(String, String)], UInt8, WireError.Code)])
    func badRequest(pairs: [(String, String)], minor: UInt8, code: WireError.Code) {
        let head = RequestHead(method: .post, target: "/", minorVersion: minor, fields: Self.fields(pairs))
        let error = #expect(throws: WireError.self) { try BodyFraming.of(request: head) }
        #expect(error?.code == code)
    }

    struct Answer: Sendable {
        var status: Int
        var method = HTTPRequest.Method.get
        var fields: [(String, String)] = []
        var strict: BodyFraming?
        var lenient: BodyFraming
    }

    @Test(
        "a response's framing, strict (nil: refused) and lenient",
        arguments: [
            Answer(status: 200, strict: .untilClose, lenient: .untilClose),
            Answer(
                status: 200, method: .head, fields: [("Content-Length", "5")], strict: BodyFraming.none,
                lenient: .none),
            Answer(status: 204, fields: [("Content-Length", "5")], strict: BodyFraming.none, lenient: .none),
            Answer(status: 304, fields: [("Content-Length", "5")], strict: BodyFraming.none, lenient: .none),
            Answer(status: 100, strict: BodyFraming.none, lenient: .none),
            Answer(
                status: 200, method: .connect, fields: [("Content-Length", "5")], strict: BodyFraming.none,
                lenient: .none),
            Answer(
                status: 299, method: .connect, fields: [("Transfer-Encoding", "chunked")],
                strict: BodyFraming.none, lenient: .none),
            Answer(
                status: 407, method: .connect, fields: [("Content-Length", "5")], strict: .length(5),
                lenient: .length(5)),
            Answer(status: 407, method: .connect, strict: .untilClose, lenient: .untilClose),
            Answer(
                status: 200, fields: [("Transfer-Encoding", "gzip, chunked")], strict: .chunked,
                lenient: .chunked),
            Answer(status: 200, fields: [("Transfer-Encoding", "gzip")], strict: nil, lenient: .untilClose),
            Answer(
                status: 200, fields: [("Transfer-Encoding", "chunked, gzip")], strict: nil,
                lenient: .untilClose),
            Answer(
                status: 200, fields: [("Transfer-Encoding", "chunked"), ("Content-Length", "3")], strict: nil,
                lenient: .chunked),
            Answer(status: 200, fields: [("Content-Length", "3, 4")], strict: nil, lenient: .untilClose),
            Answer(status: 200, fields: [("Content-Length", "abc")], strict: nil, lenient: .untilClose),
        ])
    func response(answer: Answer) throws {
        let head = ResponseHead(
            response: HTTPResponse(
                status: .init(code: answer.status), headerFields: Self.fields(answer.fields)))
        #expect(try BodyFraming.of(response: head, toMethod: answer.method, lenient: true) == answer.lenient)
        #expect(
            (try? BodyFraming.of(response: head, toMethod: answer.method, lenient: false)) == answer.strict)
    }
}
