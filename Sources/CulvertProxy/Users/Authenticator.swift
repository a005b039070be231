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
        /// More passwords wait to be checked than will be in good time.
        case overloaded
    }

    private struct State {
        var verified: VerifiedCredentials
        /// Checks under way, by what is checked, and who waits for them.
        var waiting: [[UInt8]: [EventLoopPromise<Outcome>]] = [:]
    }

    /// The `Proxy-Authenticate` lines of a 407, one for each scheme.
    let challenges: [String]
    private let users: UserTable?
    private let tokens: TokenTable?
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
        guard configuration.users != nil || configuration.tokens != nil else { return nil }
        self.users = configuration.users
        self.tokens = configuration.tokens
        let realm = configuration.realm.filter { $0 != "\"" && $0 != "\\" }
        self.challenges =
            (configuration.users == nil ? [] : ["Basic realm=\"\(realm)\", charset=\"UTF-8\""])
            + (configuration.tokens == nil ? [] : ["Bearer realm=\"\(realm)\""])
        let key = (0..<32).map { _ in UInt8.random(in: .min ... .max) }
        self.state = Mutex(State(verified: VerifiedCredentials(key: key)))
    }

    /// By a `Proxy-Authorization` value. The future is complete at once where no slow hash is needed.
    func authenticate(authorization fieldValue: String?, on eventLoop: any EventLoop) -> EventLoopFuture<
        Outcome
    > {
        guard let fieldValue else { return eventLoop.makeSucceededFuture(.unknown) }
        if let tokens, let token = TokenTable.token(in: fieldValue) {
            return eventLoop.makeSucceededFuture(tokens.user(forToken: token).map(Outcome.user) ?? .unknown)
        }
        guard let credentials = BasicScheme.credentials(in: fieldValue) else {
            return eventLoop.makeSucceededFuture(.unknown)
        }
        return self.authenticate(credentials, on: eventLoop)
    }

    /// By a user name and password, however they came.
    func authenticate(_ credentials: ProxyCredentials, on eventLoop: any EventLoop) -> EventLoopFuture<
        Outcome
    > {
        guard let users else { return eventLoop.makeSucceededFuture(.unknown) }
        guard users.isSlow else { return eventLoop.makeSucceededFuture(Self.check(credentials, users)) }
        let promise = eventLoop.makePromise(of: Outcome.self)
        let digest = self.state.withLock { $0.verified.digest(of: credentials) }
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
