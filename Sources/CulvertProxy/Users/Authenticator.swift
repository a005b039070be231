import CulvertTunnel
import HTTPTypes
import HTTPWire
import NIOCore
import NIOPosix
import ProxyAuth
import Synchronization

/// Tells who a client is by its `Proxy-Authorization`. Slow hashes are computed off the event loop, once for equal
/// credentials that arrive together, and not again for a short while.
///
/// One belongs to one configuration: after a reload nothing is remembered.
final class Authenticator: Sendable {
    enum Outcome: Sendable, Hashable {
        case user(String)
        /// Nobody, or the wrong password.
        case unknown
        /// Not yet: these `Proxy-Authenticate` lines and no others go into the 407.
        case challenge([String])
        /// More passwords wait to be checked than will be in good time.
        case overloaded
    }

    private struct State {
        var verified: VerifiedCredentials
        /// Checks under way, by what is checked, and who waits for them.
        var waiting: [[UInt8]: [EventLoopPromise<Outcome>]] = [:]
        /// Tickets that are being looked at.
        var tickets = 0
        var digest: DigestVerifier?
    }

    let ntlmUsers: NTLMUserTable?
    let acceptsNegotiate: Bool
    private let realm: String
    private let users: UserTable?
    private let tokens: TokenTable?
    private let hash = CredentialsHash(key: RandomBytes.make(32))
    private let state: Mutex<State>

    /// A check takes from 3 to 300 ms of a core: with so many under way, those who come now wait for seconds.
    private static let maxWaiting = 128

    /// Two, so that a flood of wrong passwords leaves cores to the event loops.
    private static let threads: NIOThreadPool = {
        let pool = NIOThreadPool(numberOfThreads: 2)
        pool.start()
        return pool
    }()

    /// Nil when everybody is let in.
    init?(_ configuration: ProxyConfiguration) {
        guard configuration.asksForUsers else { return nil }
        self.users = configuration.users
        self.tokens = configuration.tokens
        self.ntlmUsers = configuration.ntlmUsers
        self.acceptsNegotiate = configuration.kerberos != nil
        self.realm = configuration.plainRealm
        let realm = self.realm
        let digest = configuration.digestUsers.map {
            DigestVerifier(users: $0, realm: realm, key: RandomBytes.make(32), at: .now)
        }
        self.state = Mutex(State(verified: VerifiedCredentials(), digest: digest))
    }

    /// The `Proxy-Authenticate` lines of a 407, one for each scheme, the strongest first.
    func challenges(isStale: Bool = false) -> [String] {
        let digest = self.state.withLock {
            $0.digest?.challenges(random: .random(in: .min ... .max), isStale: isStale, at: .now)
        }
        return (self.acceptsNegotiate ? ["Negotiate"] : []) + (digest ?? [])
            + (self.ntlmUsers == nil ? [] : ["NTLM"])
            + (self.tokens == nil ? [] : ["Bearer realm=\"\(self.realm)\""])
            + (self.users == nil ? [] : ["Basic realm=\"\(self.realm)\", charset=\"UTF-8\""])
    }

    /// Whether there is a scheme by which a user can be known at once.
    var mayKnowAtOnce: Bool { self.users != nil || self.tokens != nil }

    /// Who asks for this by Bearer, or by Basic with credentials that need no slow hash: they were found right a short
    /// while ago. Nil for everybody else, and nobody has noticed that it was tried.
    func knownUser(of head: RequestHead) -> String? {
        guard let field = head.fields[.proxyAuthorization].flatMap(AuthorizationField.init) else {
            return nil
        }
        if let token = self.token(in: field) { return self.tokens?.user(forToken: token) }
        guard let users, let credentials = BasicScheme.credentials(in: field) else { return nil }
        if !users.isSlow {
            guard case .user(let user) = Self.check(credentials, users) else { return nil }
            return user
        }
        let digest = self.hash.digest(of: credentials)
        let isVerified = self.state.withLock {
            $0.verified.contains(credentials.user, digest: digest, at: .now)
        }
        return isVerified ? credentials.user : nil
    }

    /// By Bearer or Basic. The future is complete at once where no slow hash is needed.
    func authenticate(_ field: AuthorizationField, on eventLoop: any EventLoop) -> EventLoopFuture<Outcome> {
        if let token = self.token(in: field) {
            let user = self.tokens?.user(forToken: token)
            return eventLoop.makeSucceededFuture(user.map(Outcome.user) ?? .unknown)
        }
        guard let credentials = BasicScheme.credentials(in: field) else {
            return eventLoop.makeSucceededFuture(.unknown)
        }
        return self.authenticate(credentials, on: eventLoop)
    }

    /// Nil where tokens are nothing that is known here.
    private func token(in field: AuthorizationField) -> String? {
        self.tokens == nil ? nil : TokenTable.token(in: field)
    }

    /// By Digest, whose answer is about the request.
    func digest(_ head: RequestHead, _ fieldValue: String) -> Outcome {
        let outcome = self.state.withLock {
            $0.digest?.verify(fieldValue, method: head.method.rawValue, target: head.target, at: .now)
        }
        return switch outcome {
        case .user(let user): .user(user)
        case .stale: .challenge(self.challenges(isStale: true))
        case .unknown, nil: .unknown
        }
    }

    /// Looks at a ticket, or the next part of a conversation, off the event loop.
    func negotiate(
        _ token: [UInt8], _ acceptor: NegotiateAcceptor, on eventLoop: any EventLoop
    ) -> EventLoopFuture<Outcome> {
        let hasRoom = self.state.withLock { state in
            guard state.tickets < Self.maxWaiting else { return false }
            state.tickets += 1
            return true
        }
        guard hasRoom else { return eventLoop.makeSucceededFuture(.overloaded) }
        let work = Self.threads.runIfActive(eventLoop: eventLoop) { acceptor.accept(token) }
        return work.map { outcome in
            switch outcome {
            case .user(let user): Outcome.user(user)
            case .challenge(let token): .challenge(["Negotiate \(Base64.encode(token))"])
            case .failed: .unknown
            }
        }.always { _ in self.state.withLock { $0.tickets -= 1 } }
    }

    /// By a user name and password, however they came.
    func authenticate(_ credentials: ProxyCredentials, on eventLoop: any EventLoop) -> EventLoopFuture<
        Outcome
    > {
        guard let users else { return eventLoop.makeSucceededFuture(.unknown) }
        guard users.isSlow else { return eventLoop.makeSucceededFuture(Self.check(credentials, users)) }
        let promise = eventLoop.makePromise(of: Outcome.self)
        let digest = self.hash.digest(of: credentials)
        switch self.enqueue(promise, credentials.user, digest) {
        case .answered(let outcome): promise.succeed(outcome)
        case .joined: break
        case .first: self.start(credentials, users, digest, on: eventLoop)
        }
        return promise.futureResult
    }

    private enum Place {
        case answered(Outcome)
        case joined
        case first
    }

    private func enqueue(_ promise: EventLoopPromise<Outcome>, _ user: String, _ digest: [UInt8]) -> Place {
        self.state.withLock { state in
            if state.verified.contains(user, digest: digest, at: .now) { return .answered(.user(user)) }
            if state.waiting[digest] != nil {
                state.waiting[digest]?.append(promise)
                return .joined
            }
            guard state.waiting.count < Self.maxWaiting else { return .answered(.overloaded) }
            state.waiting[digest] = [promise]
            return .first
        }
    }

    private func start(
        _ credentials: ProxyCredentials, _ users: UserTable, _ digest: [UInt8], on eventLoop: any EventLoop
    ) {
        let work = Self.threads.runIfActive(eventLoop: eventLoop) { Self.check(credentials, users) }
        work.whenComplete { result in
            let outcome = (try? result.get()) ?? .unknown
            let promises = self.state.withLock { state in
                if case .user(let user) = outcome { state.verified.insert(user, digest: digest, at: .now) }
                return state.waiting.removeValue(forKey: digest) ?? []
            }
            for promise in promises { promise.succeed(outcome) }
        }
    }

    private static func check(_ credentials: ProxyCredentials, _ users: UserTable) -> Outcome {
        users.verify(credentials, crypt: SystemCrypt.hash(_:setting:)).map(Outcome.user) ?? .unknown
    }
}
