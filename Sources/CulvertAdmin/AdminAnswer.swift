import CulvertProxy
import HTTPTypes
import NIOCore

/// A response of the admin listener.
struct AdminAnswer: Sendable {
    var response: HTTPResponse
    var body: ByteBuffer

    init(_ status: HTTPResponse.Status, _ contentType: String, _ text: String) {
        self.init(status, contentType, ByteBuffer(string: text))
    }

    init(_ status: HTTPResponse.Status, _ contentType: String, bytes: [UInt8]) {
        self.init(status, contentType, ByteBuffer(bytes: bytes))
    }

    private init(_ status: HTTPResponse.Status, _ contentType: String, _ body: ByteBuffer) {
        self.response = HTTPResponse(status: status)
        self.response.headerFields = Self.fields
        self.response.headerFields[.contentType] = contentType
        self.body = body
    }

    /// Nothing from elsewhere runs in the page, nothing elsewhere shows it, and nothing of it is kept.
    private static let fields: HTTPFields = {
        var fields: HTTPFields = [
            .cacheControl: "no-store",
            .contentSecurityPolicy:
                "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
                + "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
            .xContentTypeOptions: "nosniff",
        ]
        for (name, value) in [
            ("Referrer-Policy", "no-referrer"), ("Cross-Origin-Resource-Policy", "same-origin"),
            ("Cross-Origin-Opener-Policy", "same-origin"),
        ] {
            if let name = HTTPField.Name(name) { fields[name] = value }
        }
        return fields
    }()

    static func text(_ text: String, _ status: HTTPResponse.Status = .ok) -> AdminAnswer {
        AdminAnswer(status, "text/plain; charset=utf-8", text)
    }

    /// 200 only while the proxy accepts connections and means to go on.
    static func readiness(_ state: ProxyState) -> AdminAnswer {
        switch state {
        case .serving: .text("ready\n")
        case .starting, .draining, .stopped: .text("\(state.rawValue)\n", .serviceUnavailable)
        }
    }

    static let misdirectedText =
        "this name is not known here; use an address or localhost, or allow the name with --admin-host"

    static let misdirected = AdminAnswer.text("\(misdirectedText)\n", .misdirectedRequest)

    static let notFound = AdminAnswer.text(
        "not found; there are /, /metrics, /status.json, /healthz and /readyz\n", .notFound)

    static let methodNotAllowed: AdminAnswer = {
        var answer = AdminAnswer.text("only GET and HEAD\n", .methodNotAllowed)
        answer.response.headerFields[.allow] = "GET, HEAD"
        return answer
    }()
}
