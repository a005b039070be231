import HTTPTypes
import NIOCore
import NIOEmbedded
import NIOHTTP1
import Testing

@testable import HTTPWire

/// Our parser beside NIOHTTP1's (llhttp): every difference is intended, listed, and has a reason.
@Suite struct DifferentialTests {
    /// What a parser makes of a head: all that the two models have in common. NIOHTTP1 gives
    /// its own reason phrases.
    struct Head: Hashable, CustomStringConvertible {
        var start: String
        var fields: [String]
        var description: String { "\(start) \(fields)" }
    }

    @Test("requests, strictly: no difference that is not listed", arguments: DifferentialCorpus.requests)
    func requests(sample: HeadSample) {
        let ours = Self.ourRequest(sample.bytes)
        let theirs = Self.nioRequest(sample.bytes)
        Self.compare(sample, ours, theirs, DifferentialReasons.requests[sample.name])
    }

    @Test("responses, strictly: no difference that is not listed", arguments: DifferentialCorpus.responses)
    func strictResponses(sample: HeadSample) {
        let ours = Self.ourResponse(sample.bytes, mode: .strict)
        Self.compare(
            sample, ours, Self.nioResponse(sample.bytes), DifferentialReasons.strictResponses[sample.name])
    }

    @Test("responses, leniently: no difference that is not listed", arguments: DifferentialCorpus.responses)
    func lenientResponses(sample: HeadSample) {
        let ours = Self.ourResponse(sample.bytes, mode: .lenient)
        Self.compare(
            sample, ours, Self.nioResponse(sample.bytes), DifferentialReasons.lenientResponses[sample.name])
    }

    @Test("the corpus is large, its names are unique, and every listed difference names a sample")
    func corpus() {
        let requests = DifferentialCorpus.requests.map(\.name)
        let responses = DifferentialCorpus.responses.map(\.name)
        #expect(requests.count + responses.count >= 60)
        #expect(Set(requests).count == requests.count)
        #expect(Set(responses).count == responses.count)
        #expect(Set(requests).isSuperset(of: DifferentialReasons.requests.keys))
        #expect(Set(responses).isSuperset(of: DifferentialReasons.strictResponses.keys))
        #expect(Set(responses).isSuperset(of: DifferentialReasons.lenientResponses.keys))
    }

    private static func compare(_ sample: HeadSample, _ ours: Head?, _ theirs: Head?, _ reason: String?) {
        let text =
            "\(sample.name): ours \(ours.map(\.description) ?? "refused"), NIO's \(theirs.map(\.description) ?? "refused")"
        #expect((ours != theirs) == (reason != nil), "\(text); \(reason ?? "not listed")")
    }

    private static func ourRequest(_ bytes: String) -> Head? {
        var parser = HeadParser(mode: .strict, limits: .serving)
        var buffer = ByteBuffer(string: bytes)
        guard let head = try? parser.parseRequest(&buffer), (try? BodyFraming.of(request: head)) != nil else {
            return nil
        }
        return Head(
            start: "\(head.method.rawValue) \(head.target) 1.\(head.minorVersion)", fields: lines(head.fields)
        )
    }

    private static func ourResponse(_ bytes: String, mode: HeadParser.Mode) -> Head? {
        var parser = HeadParser(mode: mode, limits: .answer)
        var buffer = ByteBuffer(string: bytes)
        guard let head = try? parser.parseResponse(&buffer) else { return nil }
        let status = head.response.status
        return Head(
            start: "1.\(head.minorVersion) \(status.code)",
            fields: lines(head.response.headerFields))
    }

    private static func lines(_ fields: HTTPFields) -> [String] {
        fields.map { "\($0.name.rawName): \($0.value)" }
    }

    private static func nioRequest(_ bytes: String) -> Head? {
        let channel = EmbeddedChannel(handler: ByteToMessageHandler(HTTPRequestDecoder()))
        defer { _ = try? channel.finish(acceptAlreadyClosed: true) }
        _ = try? channel.writeInbound(ByteBuffer(string: bytes))
        guard case .head(let head)? = try? channel.readInbound(as: HTTPServerRequestPart.self) else {
            return nil
        }
        return Head(
            start: "\(head.method.rawValue) \(head.uri) \(head.version.major).\(head.version.minor)",
            fields: head.headers.map { "\($0.name): \($0.value)" })
    }

    private static func nioResponse(_ bytes: String) -> Head? {
        let channel = EmbeddedChannel()
        defer { _ = try? channel.finish(acceptAlreadyClosed: true) }
        // The response decoder wants to see the request go out first.
        let decoder = ByteToMessageHandler(HTTPResponseDecoder())
        do {
            try channel.pipeline.syncOperations.addHandlers([HTTPRequestEncoder(), decoder])
            let request = HTTPRequestHead(version: .http1_1, method: .GET, uri: "/", headers: ["host": "a"])
            try channel.writeOutbound(HTTPClientRequestPart.head(request))
        } catch {
            Issue.record(error)
            return nil
        }
        _ = try? channel.writeInbound(ByteBuffer(string: bytes))
        guard case .head(let head)? = try? channel.readInbound(as: HTTPClientResponsePart.self) else {
            return nil
        }
        return Head(
            start:
                "\(head.version.major).\(head.version.minor) \(head.status.code)",
            fields: head.headers.map { "\($0.name): \($0.value)" })
    }
}
