import HTTPTypes
import HTTPWire
import NIOCore
import ProxyRoutes

/// Fetches a script over HTTP/1.1, directly.
struct PACDownload {
    /// What was fetched.
    struct Download {
        var bytes: [UInt8]
        /// Of the answer's `Content-Type`.
        var charset: String?
        var validators: Validators
    }

    /// What names a version of a script (RFC 9110 §8.8).
    struct Validators {
        var entityTag: String?
        var lastModified: String?
    }

    let source: ProxyScriptSource
    let tls: TLSOptions

    /// 30 s over all of it, as Chromium has it.
    private static let deadline = Duration.seconds(30)
    private static let maxRedirects = 5

    /// - Parameter known: the version that is here already.
    /// - Returns: nil where that is still the newest.
    func fetch(
        _ location: ProxyScriptSource.Location, unless known: Validators? = nil
    ) async throws(ProxyScriptError) -> Download? {
        do {
            return try await withThrowingTaskGroup(of: Download?.self) { group in
                group.addTask { try await self.follow(location, unless: known) }
                group.addTask {
                    try await Task.sleep(for: Self.deadline)
                    throw ProxyScriptError(.unreadable, self.source, "not there within 30 s")
                }
                defer { group.cancelAll() }
                guard let download = try await group.next() else { throw CancellationError() }
                return download
            }
        } catch let error as ProxyScriptError {
            throw error
        } catch {
            throw self.unreadable("\(error)")
        }
    }

    private func follow(
        _ start: ProxyScriptSource.Location, unless known: Validators?
    ) async throws -> Download? {
        var location = start
        for _ in 0...Self.maxRedirects {
            let (head, body) = try await self.get(location, unless: known)
            let (status, fields) = (head.response.status, head.response.headerFields)
            if status == .notModified, known != nil { return nil }
            if status.kind == .redirection, let target = fields[.location] {
                guard case .web(let next)? = ProxyScriptSource(target), next.isSecure || !location.isSecure
                else {
                    throw self.unreadable("it is moved to where it is not fetched from")
                }
                location = next
                continue
            }
            guard status == .ok else { throw self.unreadable("the server answered \(status)") }
            return Download(
                bytes: Array(body.readableBytesView), charset: Self.charset(fields[.contentType]),
                validators: Validators(entityTag: fields[.eTag], lastModified: fields[.lastModified]))
        }
        throw self.unreadable("it is moved more than \(Self.maxRedirects) times")
    }

    private func get(
        _ location: ProxyScriptSource.Location, unless known: Validators?
    ) async throws -> (ResponseHead, ByteBuffer) {
        let dialer = Dialer(.init { $0.proxy = .none })
        let request =
            "GET \(location.resource) HTTP/1.1\r\nHost: \(Self.host(of: location))\r\nUser-Agent: Culvert\r\n"
            + "Accept: application/x-ns-proxy-autoconfig, */*;q=0.5\r\n\(Self.conditions(known))"
            + "Connection: close\r\n\r\n"
        return try await dialer.withStream(to: location.authority, tls: location.isSecure ? self.tls : nil) {
            stream in
            try await stream.write(request)
            return try await self.answer(stream)
        }
    }

    private func answer(_ stream: TunnelStream) async throws -> (ResponseHead, ByteBuffer) {
        var parser = HeadParser(mode: .lenient, limits: .answer)
        var (buffer, body) = (ByteBuffer(), ByteBuffer())
        var head: ResponseHead?
        var decoder: BodyDecoder?
        for try await bytes in stream {
            buffer.writeImmutableBuffer(bytes)
            while head == nil, let next = try parser.parseResponse(&buffer) {
                parser = HeadParser(mode: .lenient, limits: .answer)
                if next.response.status.kind == .informational { continue }
                head = next
                decoder = BodyDecoder(try BodyFraming.of(response: next, toMethod: .get, lenient: false))
            }
            if let head, try self.decode(&decoder, &buffer, into: &body) { return (head, body) }
        }
        guard let head, try decoder?.receiveEOF() != nil else {
            throw self.unreadable("the answer ends too early")
        }
        return (head, body)
    }

    /// - Returns: whether the body is complete.
    private func decode(
        _ decoder: inout BodyDecoder?, _ buffer: inout ByteBuffer, into body: inout ByteBuffer
    ) throws -> Bool {
        while true {
            switch try decoder?.decode(&buffer) {
            case nil, .needMore: return false
            case .end: return true
            case .data(let bytes):
                body.writeImmutableBuffer(bytes)
                guard body.readableBytes <= PACText.maxBytes else {
                    throw self.unreadable("has more than 1 MiB")
                }
            }
        }
    }

    private func unreadable(_ detail: String) -> ProxyScriptError {
        ProxyScriptError(.unreadable, self.source, detail)
    }

    private static func host(of location: ProxyScriptSource.Location) -> String {
        location.authority.port == (location.isSecure ? 443 : 80)
            ? location.authority.bracketedHost : "\(location.authority)"
    }

    /// Where there is a tag, the date is for servers that know none (RFC 9110 §13.1.3).
    private static func conditions(_ known: Validators?) -> String {
        let tag = known?.entityTag.map { "If-None-Match: \($0)\r\n" }
        let date = known?.lastModified.map { "If-Modified-Since: \($0)\r\n" }
        return (tag ?? "") + (date ?? "")
    }

    /// `text/plain; charset="utf-8"`.
    private static func charset(_ type: String?) -> String? {
        for parameter in type?.split(separator: ";").dropFirst() ?? [] {
            let parts = parameter.split(separator: "=", maxSplits: 1).map {
                $0.filter { !$0.isWhitespace && $0 != "\"" }
            }
            if parts.count == 2, parts[0].lowercased() == "charset" { return parts[1] }
        }
        return nil
    }
}
