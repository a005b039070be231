import NIOCore
import NIOPosix
package import ProxyAuth
import ProxyRoutes

/// The authentication with one hop over all connections of an attempt, a tunnel's or a forwarded request's: performs
/// what its ``ProxyAuthenticator`` asks for, the mechanism of Negotiate off the event loop. Lives on the event loop of
/// the attempt.
package final class HopAuthentication {
    /// What becomes of a challenged request.
    package enum Reply {
        /// Send it again on this connection.
        case retry(String)
        /// Build a new connection; the answer rides on it.
        case reconnect
        case fail(ProxyAuthenticationFailure)
    }

    /// Ticket servers block their thread; so these serve nothing else.
    private static let threads: NIOThreadPool = {
        let pool = NIOThreadPool(numberOfThreads: 4)
        pool.start()
        return pool
    }()

    private let hop: ProxyHop
    private let host: String
    private let store: ProxyAuthStore
    private let eventLoop: any EventLoop
    private var authenticator: ProxyAuthenticator
    private var context: NegotiateContext?
    /// For the first request on the next connection.
    private var next: String?
    /// The answer under way.
    private var last: (value: String, connection: ProxyAuthenticator.Connection)?

    init(_ hop: ProxyHop, options: ProxyAuthOptions, store: ProxyAuthStore, on eventLoop: any EventLoop) {
        self.hop = hop
        self.host = options.serviceHost ?? "\(hop.authority.host)"
        self.store = store
        self.eventLoop = eventLoop
        self.authenticator = ProxyAuthenticator(
            credentials: hop.credentials, schemes: options.schemes,
            context: .init(host: self.host, random: { RandomBytes.make($0) }, fileTime: { FileTime.now }))
        if options.sendsUnasked { self.next = hop.credentials.flatMap(ProxyAuthMemory.unasked) }
        if self.next != nil { self.authenticator.answeredUnasked() }
    }

    /// What the first request on a connection carries, told now or once the mechanism has answered.
    ///
    /// - Parameters:
    ///   - binding: of the TLS connection with the hop, where there is one.
    ///   - isAuthenticated: an earlier request authenticated the connection itself: this one need not.
    package func begin(
        _ request: ProxyAuthenticator.Request, binding: ChannelBinding?, isAuthenticated: Bool = false,
        _ then: @escaping (String?) -> Void
    ) {
        self.authenticator.channelBinding = binding
        self.context = nil
        if isAuthenticated {
            self.authenticator.restart()
            return then(nil)
        }
        if let next {
            self.next = nil
            return then(next)
        }
        guard let (memory, value) = self.store.authorization(for: self.hop, request: request) else {
            return then(nil)
        }
        if let value {
            self.authenticator.resumed(memory)
            return then(value)
        }
        guard memory == .negotiate else { return then(nil) }
        self.authenticator.resumed(memory)
        self.askMechanism(input: nil) { step in
            guard case .authorize(let value, _) = step else {
                // The ticket may be gone: then the proxy is asked anew what else it takes.
                self.authenticator.restart()
                return then(nil)
            }
            then(value)
        }
    }

    /// Answers a challenge, now or once the mechanism has answered.
    package func challenged(
        _ challenges: [Challenge], request: ProxyAuthenticator.Request, keepsConnection: Bool,
        _ then: @escaping (Reply) -> Void
    ) {
        let step = self.authenticator.challenged(
            challenges, request: request, keepsConnection: keepsConnection)
        self.perform(step, keepsConnection: keepsConnection, then)
    }

    /// The connection ended before the proxy judged the last answer, which then rides on the next connection.
    ///
    /// - Returns: why it cannot.
    package func carryOver() -> ProxyAuthenticationFailure? {
        guard let last, last.connection != .same else { return .connectionNotKept }
        self.next = last.value
        return nil
    }

    /// The proxy granted the request.
    ///
    /// - Returns: whether that stands for the whole connection from now on.
    @discardableResult
    package func succeeded() -> Bool {
        guard let memory = self.authenticator.memory else { return false }
        self.store.remember(memory, for: self.hop)
        return memory.isOfConnection
    }

    /// What was said last will be challenged on the same connection, for certain: it proves nothing yet.
    package var isOffering: Bool { self.authenticator.isOffering }

    /// What was offered was of no interest to the proxy.
    package func wasNotAsked() {
        self.store.forget(self.hop)
        self.authenticator.restart()
    }

    /// The challenged request cannot be sent again: the answer is for the next one, which then need not wait to be
    /// challenged.
    package func keepForNextRequest() {
        if let memory = self.authenticator.prospect { self.store.remember(memory, for: self.hop) }
    }

    private func perform(
        _ step: ProxyAuthenticator.Step, keepsConnection: Bool, _ then: @escaping (Reply) -> Void
    ) {
        switch step {
        case .authorize(let value, let connection):
            self.last = (value, connection)
            if keepsConnection, connection != .new { return then(.retry(value)) }
            self.next = value
            then(.reconnect)
        case .negotiate(let input, _):
            self.askMechanism(input: input) { self.perform($0, keepsConnection: keepsConnection, then) }
        case .fail(let failure):
            self.store.forget(self.hop)
            then(.fail(failure))
        }
    }

    /// A context is one connection's: it begins without input.
    private func askMechanism(input: [UInt8]?, _ then: @escaping (ProxyAuthenticator.Step) -> Void) {
        if input == nil { self.context = nil }
        let context =
            self.context ?? NegotiateContext(host: self.host, bindings: self.authenticator.channelBinding)
        self.context = context
        guard let context else {
            return then(self.authenticator.negotiated(.failure(NegotiateFailure(GSSAPI.absence))))
        }
        let answer = Self.threads.runIfActive(eventLoop: self.eventLoop) { context.token(answering: input) }
        answer.assumeIsolated().whenComplete { result in
            let token = result.mapError { NegotiateFailure("\($0)") }.flatMap { $0 }
            then(self.authenticator.negotiated(token))
        }
    }
}
