import HTTPWire

/// The client's side of the authentication with one proxy, over all connections of one attempt: which scheme, what to
/// send, on which connection, and when to stop.
///
/// It prefers the strongest scheme that is offered, configured and possible. One whose mechanism is not there (no
/// ticket, no library) gives way to the next; a password that was rejected is not tried with another scheme, which
/// would only count as one more wrong try against the user's account.
package struct ProxyAuthenticator: Sendable {
    /// The request that is to be authorised, for the schemes that sign it.
    package struct Request: Sendable, Hashable {
        package let method: String
        /// As it stands in the request line.
        package let target: String

        package init(method: String, target: String) {
            self.method = method
            self.target = target
        }
    }

    /// What the schemes need from outside.
    package struct Context: Sendable {
        /// The proxy's host as it was configured.
        let host: String
        /// So many octets that nobody can foresee.
        let random: @Sendable (Int) -> [UInt8]
        /// The time in 100 ns since 1601.
        let fileTime: @Sendable () -> UInt64

        package init(
            host: String, random: @escaping @Sendable (Int) -> [UInt8],
            fileTime: @escaping @Sendable () -> UInt64
        ) {
            self.host = host
            self.random = random
            self.fileTime = fileTime
        }
    }

    /// Where the answer has to go.
    package enum Connection: Sendable, Hashable {
        /// The one that the challenge came on where it is kept, another one otherwise.
        case any
        /// That one and no other: it is what is being authenticated.
        case same
        /// Another one: this one's state belongs to the scheme that failed.
        case new
    }

    package enum Step: Sendable, Hashable {
        /// Send the request again with this field value.
        case authorize(String, on: Connection)
        /// Ask the mechanism for a token: the first one of a connection when there is no input. Then `negotiated`.
        case negotiate(input: [UInt8]?, on: Connection)
        case fail(ProxyAuthenticationFailure)
    }

    private enum State: Sendable {
        /// Nothing was answered yet.
        case idle
        /// A scheme of one round was answered: with what worked before where none is named.
        case answered(AuthenticationScheme?)
        case digest(DigestSession)
        /// The first message is on its way. Leaves on the challenge.
        case ntlmOffered
        /// The last message is on its way.
        case ntlmAnswered
        /// The mechanism was asked.
        case negotiateAsked(Connection)
        /// A token is on its way.
        case negotiating
    }

    private let credentials: ProxyCredentials?
    private let schemes: [AuthenticationScheme]
    private let context: Context
    private var state = State.idle
    private var excluded: Set<AuthenticationScheme> = []
    private var mechanismFailure: String?
    private var staleAnswers = 0
    private var rounds = 0
    private var lastChallenges: [Challenge] = []
    private var lastRequest = Request(method: "CONNECT", target: "")
    /// Of the TLS connection with the proxy, where there is one.
    package var channelBinding: ChannelBinding?

    /// One proxy may call its nonces stale once; more often it is a loop.
    private static let maxStale = 1
    /// Kerberos takes two, NTLM three; the bound only stops a proxy that never ends.
    private static let maxRounds = 10

    /// - Parameter schemes: those that may be spoken, in the order of preference.
    package init(credentials: ProxyCredentials?, schemes: [AuthenticationScheme], context: Context) {
        self.credentials = credentials
        self.schemes = schemes
        self.context = context
    }

    /// Answers the challenges of a 407.
    package mutating func challenged(
        _ challenges: [Challenge], request: Request, keepsConnection: Bool
    ) -> Step {
        self.lastChallenges = challenges
        self.lastRequest = request
        self.rounds += 1
        if self.rounds > Self.maxRounds { return .fail(.rejected) }
        switch self.state {
        case .idle:
            return self.choose(on: .any)
        case .answered:
            return .fail(.rejected)
        case .digest:
            return self.digestChallengedAgain()
        case .ntlmOffered:
            return self.ntlmChallenged(keepsConnection: keepsConnection)
        case .ntlmAnswered:
            return .fail(.rejected)
        case .negotiateAsked, .negotiating:
            return self.negotiateChallenged(keepsConnection: keepsConnection)
        }
    }

    /// The mechanism's token, or why it has none.
    package mutating func negotiated(_ result: Result<[UInt8], NegotiateFailure>) -> Step {
        guard case .negotiateAsked(let connection) = self.state else { return .fail(.rejected) }
        switch result {
        case .success(let token):
            self.state = .negotiating
            return .authorize("Negotiate " + Base64.encode(token), on: connection)
        case .failure(let failure):
            self.mechanismFailure = failure.description
            self.excluded.insert(.negotiate)
            // Where nothing was sent yet, nothing is left behind on this connection.
            return self.choose(on: connection == .same ? .new : connection)
        }
    }

    /// The first request of a connection goes out with what worked before; what comes back is judged for what it is. A
    /// nonce may have grown old, which is nobody's fault, and a proxy may have forgotten it.
    package mutating func resumed(_ memory: ProxyAuthMemory) {
        switch memory {
        case .fixed: self.state = .answered(nil)
        case .digest: self.state = .idle
        case .ntlm: self.state = .ntlmOffered
        case .negotiate: self.state = .negotiateAsked(.any)
        }
    }

    /// The first request of a connection carries the password or token, which therefore has no second try.
    package mutating func answeredUnasked() {
        self.state = .answered(self.credentials?.token == nil ? .basic : .bearer)
    }

    /// What was said on the last connection does not count on the next.
    package mutating func restart() {
        self.state = .idle
    }

    /// The first message of several is on its way.
    package var isOffering: Bool {
        if case .ntlmOffered = self.state { true } else { false }
    }

    /// What a request could say first that is not challenged before.
    package var prospect: ProxyAuthMemory? {
        self.isOffering ? .ntlm : self.memory
    }

    /// What to remember of a success, for the next connection.
    package var memory: ProxyAuthMemory? {
        guard let credentials = self.credentials else {
            if case .negotiating = self.state { return .negotiate }
            return nil
        }
        switch self.state {
        case .idle, .ntlmOffered, .negotiateAsked: return nil
        case .answered(let scheme):
            return scheme.flatMap { Self.answer(credentials, by: $0) }.map { .fixed($0) }
        case .digest(let session): return .digest(session)
        case .ntlmAnswered: return .ntlm
        case .negotiating: return .negotiate
        }
    }
}

extension ProxyAuthenticator {
    // MARK: The first answer

    /// The strongest scheme that is left.
    private mutating func choose(on connection: Connection) -> Step {
        let offered = Set(self.lastChallenges.compactMap { AuthenticationScheme(rawValue: $0.scheme) })
        for scheme in self.schemes where offered.contains(scheme) && !self.excluded.contains(scheme) {
            if scheme == .negotiate {
                self.state = .negotiateAsked(connection)
                return .negotiate(input: nil, on: connection)
            }
            guard let credentials = self.credentials, credentials.suffice(for: scheme),
                let value = self.start(scheme, credentials)
            else { continue }
            return .authorize(value, on: connection)
        }
        return .fail(self.nothingToSay(offered))
    }

    private mutating func start(_ scheme: AuthenticationScheme, _ credentials: ProxyCredentials) -> String? {
        switch scheme {
        case .digest:
            return self.startDigest(credentials)
        case .ntlm:
            self.state = .ntlmOffered
            return ProxyAuthMemory.ntlmOffer
        case .basic, .bearer:
            guard let value = Self.answer(credentials, by: scheme) else { return nil }
            self.state = .answered(scheme)
            return value
        case .negotiate:
            return nil
        }
    }

    private static func answer(_ credentials: ProxyCredentials, by scheme: AuthenticationScheme) -> String? {
        switch scheme {
        case .basic: BasicScheme.authorization(for: credentials)
        case .bearer: credentials.token.flatMap { BearerScheme.authorization(for: $0) }
        case .negotiate, .digest, .ntlm: nil
        }
    }

    /// Why none of the challenges can be answered.
    private func nothingToSay(_ offered: Set<AuthenticationScheme>) -> ProxyAuthenticationFailure {
        let possible = self.schemes.filter { offered.contains($0) && $0 != .negotiate }
        if possible.isEmpty, offered.contains(.negotiate), let mechanismFailure {
            return .negotiateUnavailable(mechanismFailure)
        }
        if possible.isEmpty { return .schemesUnsupported(self.lastChallenges.map(\.scheme)) }
        guard let credentials = self.credentials else { return .credentialsMissing(self.mechanismFailure) }
        guard possible.contains(where: { credentials.suffice(for: $0) }) else {
            return .schemesUnsupported(self.lastChallenges.map(\.scheme))
        }
        return .credentialsUnsendable
    }

    // MARK: Digest

    /// The first of the challenges that can be answered: the proxy lists them by its preference (RFC 7616 §3.7).
    private mutating func startDigest(_ credentials: ProxyCredentials) -> String? {
        guard let challenge = self.lastChallenges.lazy.compactMap({ DigestChallenge($0) }).first else {
            return nil
        }
        // 16 octets: as hard to guess as the longest nonces in use.
        var session = DigestSession(challenge, clientNonce: Hexadecimal.encode(self.context.random(16)))
        guard let value = session.authorization(for: self.lastRequest, credentials: credentials) else {
            return nil
        }
        self.state = .digest(session)
        return value
    }

    private mutating func digestChallengedAgain() -> Step {
        let isStale = self.lastChallenges.lazy.compactMap { DigestChallenge($0) }.contains(where: \.isStale)
        guard isStale, self.staleAnswers < Self.maxStale, let credentials = self.credentials else {
            return .fail(.rejected)
        }
        self.staleAnswers += 1
        guard let value = self.startDigest(credentials) else { return .fail(.credentialsUnsendable) }
        return .authorize(value, on: .any)
    }

    // MARK: NTLM

    private mutating func ntlmChallenged(keepsConnection: Bool) -> Step {
        let token = self.lastChallenges.first { $0.scheme == "ntlm" }?.token
        guard let token else {
            // It did not take up the offer, and has judged no password yet.
            self.excluded.insert(.ntlm)
            return self.choose(on: .new)
        }
        guard keepsConnection else { return .fail(.connectionNotKept) }
        guard let credentials = self.credentials,
            let challenge = Base64.decode(token).flatMap({ NTLMChallengeMessage($0) })
        else { return .fail(.malformedChallenge(.ntlm)) }
        let answer = NTLMAnswer(
            identity: NTLMIdentity(credentials.user),
            hash: credentials.ntHash ?? NTHash(password: credentials.password),
            clientChallenge: self.context.random(8), time: self.context.fileTime(), host: self.context.host,
            channelBinding: self.channelBinding?.ntlmHash)
        self.state = .ntlmAnswered
        return .authorize("NTLM " + Base64.encode(answer.message(to: challenge)), on: .same)
    }

    // MARK: Negotiate

    private mutating func negotiateChallenged(keepsConnection: Bool) -> Step {
        let token = self.lastChallenges.first { $0.scheme == "negotiate" }?.token
        guard let token else {
            // The ticket was refused; the password, if there is one, was not.
            self.mechanismFailure = "the proxy refused the ticket"
            self.excluded.insert(.negotiate)
            return self.choose(on: .new)
        }
        guard keepsConnection else { return .fail(.connectionNotKept) }
        guard let input = Base64.decode(token) else { return .fail(.malformedChallenge(.negotiate)) }
        self.state = .negotiateAsked(.same)
        return .negotiate(input: input, on: .same)
    }
}
