/// How a request of a ``ProxyScenario`` has to come out. What is not named is not looked at, but for success itself.
struct ProxyScenarioExpectation: Sendable, Hashable, Decodable {
    /// The causes a failure can be expected with, without their details.
    enum CauseName: String, Sendable, Hashable, Codable {
        case nameNotResolved, connectFailed, proxyRefused, proxyAuthentication, proxyTLSFailed, tlsFailed
        case upgradeRefused, protocolViolation, connectionLost, timedOut

        init?(_ cause: Cause) {
            switch cause {
            case .nameNotResolved: self = .nameNotResolved
            case .connectFailed: self = .connectFailed
            case .proxyRefused: self = .proxyRefused
            case .proxyAuthentication: self = .proxyAuthentication
            case .proxyTLSFailed: self = .proxyTLSFailed
            case .tlsFailed: self = .tlsFailed
            case .upgradeRefused: self = .upgradeRefused
            case .protocolViolation: self = .protocolViolation
            case .connectionLost: self = .connectionLost
            case .timedOut: self = .timedOut
            case .mismatch, .other: return nil
            }
        }
    }

    /// nil is success.
    let cause: CauseName?
    /// Of the answer.
    let status: Int?
    /// Of the last answer to CONNECT.
    let connectStatus: Int?
    /// Every status that came, the proxy's and interim ones included.
    let heads: [Int]?
    /// The whole body.
    let text: String?
    /// So many bytes of the pattern are the body.
    let bytes: Int?
    /// The body tells size and SHA-256 of what was uploaded.
    let echoesUpload: Bool
    /// How many connections all repetitions opened together.
    let newConnections: Int?

    private enum CodingKeys: String, CodingKey, CaseIterable {
        case cause, status, connectStatus, heads, text, bytes, echoesUpload, newConnections
    }

    init(from decoder: any Decoder) throws {
        let container = try decoder.strictContainer(keyedBy: CodingKeys.self)
        self.cause = try container.decodeIfPresent(CauseName.self, forKey: .cause)
        self.status = try container.decodeIfPresent(Int.self, forKey: .status)
        self.connectStatus = try container.decodeIfPresent(Int.self, forKey: .connectStatus)
        self.heads = try container.decodeIfPresent([Int].self, forKey: .heads)
        self.text = try container.decodeIfPresent(String.self, forKey: .text)
        self.bytes = try container.decodeIfPresent(Int.self, forKey: .bytes)
        self.echoesUpload = try container.decode(.echoesUpload, default: false)
        self.newConnections = try container.decodeIfPresent(Int.self, forKey: .newConnections)
    }

    /// What is wrong with an outcome; nil when nothing is.
    func deviation(of outcome: CurlOutcome, upload: Int?) -> InteropFailure? {
        if let wrong = self.deviation(ofFailure: outcome.failure) { return wrong }
        let checks = [
            Self.compare("status", outcome.status, self.status),
            Self.compare("the proxy's status", outcome.connectStatus, self.connectStatus),
            Self.compare("statuses", outcome.heads.compactMap(\.status), self.heads),
            Self.compare("body", outcome.body.text, self.text),
            self.echoesUpload ? Self.compare("body", outcome.body.text, Self.echo(of: upload ?? 0)) : nil,
            self.bytes.flatMap { Self.deviation(ofBody: outcome.body, bytes: $0) },
        ]
        return checks.compactMap(\.self).first.map { InteropFailure(.mismatch, $0) }
    }

    /// What is wrong with how it failed, or with that it did or did not.
    func deviation(ofFailure failure: InteropFailure?) -> InteropFailure? {
        guard let cause = self.cause else { return failure }
        guard let failure else {
            return InteropFailure(.mismatch, "succeeded; expected \(cause.rawValue)")
        }
        if CauseName(failure.cause) == cause { return nil }
        return InteropFailure(failure.cause, "\(failure.detail); expected \(cause.rawValue)")
    }

    /// What is wrong with the number of connections that were opened.
    func deviation(ofConnections count: Int) -> InteropFailure? {
        Self.compare("new connections", count, self.newConnections).map { InteropFailure(.mismatch, $0) }
    }

    private static func compare<Value: Equatable>(
        _ what: String, _ seen: Value?, _ expected: Value?
    ) -> String? {
        guard let expected, seen != expected else { return nil }
        // Bodies are the peer's: cut, and without control characters.
        let text = String((seen.map { "\($0)" } ?? "none").prefix(200)).debugDescription
        return "\(what): \(text), expected \("\(expected)".debugDescription)"
    }

    private static func deviation(ofBody body: CurlBody, bytes: Int) -> String? {
        if body.count != bytes { return "a body of \(body.count) bytes, expected \(bytes)" }
        return body.deviation.map { "the body differs at byte \($0)" }
    }

    private static func echo(of upload: Int) -> String {
        "\(upload) \(PatternDigest.sha256(ofBytes: upload) ?? "(no digest)")\n"
    }
}
