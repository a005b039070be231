import HTTPTypes
import HTTPWire
package import NIOCore
import NIOPosix
import NIOSSL
import ProxyAuth
import ProxyRoutes

/// Opens one tunnel: TCP, then the plan's steps one after the other, then the caller's handlers, all on one
/// event loop and with nothing asynchronous between a step's last byte and the next step's handlers.
///
/// `@unchecked Sendable`: every stored property but the `let`s is touched on `eventLoop` only.
package final class DialAttempt<Output: Sendable>: @unchecked Sendable {
    private let plan: DialPlan
    private let eventLoop: any EventLoop
    private let promise: EventLoopPromise<Output>
    private let configure: @Sendable (any Channel) throws -> Output

    private var channel: (any Channel)?
    /// Channels that race for the first connection, to be closed when the attempt is given up.
    private var connecting: [any Channel] = []
    private var resolver: AddressResolver?
    private var phase = TunnelError.Phase.resolve
    /// What name lookups took so far. For the event loop only.
    package private(set) var resolveTime = TimeAmount.zero
    private var remaining: ArraySlice<DialStep> = []
    /// What to send with the first CONNECT to a hop, by index: set unasked, or by a challenge that cost the
    /// connection.
    private var authorizations: [Int: String] = [:]
    private var answeredHops: Set<Int> = []
    /// The hop whose 407 was answered on the connection it came on.
    private var retriedHop: Int?
    private var deadline: Scheduled<Void>?
    private var isFinished = false

    /// The configured channel's output, or a ``TunnelError``.
    package var future: EventLoopFuture<Output> { self.promise.futureResult }

    /// Starts at once.
    ///
    /// - Parameter configure: adds the caller's handlers to the channel, on its event loop; bytes the target sent
    ///   early arrive there right after.
    package static func start(
        _ plan: DialPlan,
        on eventLoop: any EventLoop,
        configure: @escaping @Sendable (any Channel) throws -> Output
    ) -> DialAttempt {
        let attempt = DialAttempt(plan, eventLoop: eventLoop, configure: configure)
        if eventLoop.inEventLoop { attempt.begin() } else { eventLoop.execute { attempt.begin() } }
        return attempt
    }

    private init(
        _ plan: DialPlan,
        eventLoop: any EventLoop,
        configure: @escaping @Sendable (any Channel) throws -> Output
    ) {
        self.plan = plan
        self.eventLoop = eventLoop
        self.promise = eventLoop.makePromise()
        self.configure = configure
    }

    /// Gives up; the future fails with ``TunnelError/Code/cancelled``. Without effect once it is complete.
    package func cancel() {
        self.eventLoop.execute {
            self.fail(self.error(.cancelled, .cancellation, "the connection attempt was cancelled"))
        }
    }

    private func begin() {
        self.deadline = self.eventLoop.scheduleTask(in: self.plan.timeout) { self.timedOut() }
        if self.plan.sendsCredentialsUnasked {
            for (index, hop) in self.plan.route.hops.enumerated() {
                guard let credentials = hop.credentials else { continue }
                guard let value = BasicScheme.authorization(for: credentials) else { continue }
                self.authorizations[index] = value
                self.answeredHops.insert(index)
            }
        }
        self.checkTarget()
    }

    /// The check of a target that a proxy will dial.
    private func checkTarget() {
        guard self.plan.checksTargetBeforeParent, let filter = self.plan.filter,
            !self.plan.route.hops.isEmpty,
            case .name(let name) = self.plan.target.host
        else { return self.connect() }
        let port = self.plan.target.port
        let asked = NIODeadline.now()
        AddressResolver.checkAll(name, port: port, filter: filter, on: self.eventLoop).whenComplete {
            result in
            self.resolveTime = self.resolveTime + (.now() - asked)
            guard !self.isFinished else { return }
            switch result {
            case .success: self.connect()
            case .failure(let error as AddressForbidden):
                self.fail(self.error(.forbidden, .policy, "\(name): \(error.reason)"))
            case .failure(let error):
                let reason = (error as? NameNotResolved)?.reason ?? "\(error)"
                self.fail(
                    self.error(
                        .nameNotResolved, .target,
                        "cannot resolve \(name), so it cannot be checked: \(reason)"))
            }
        }
    }

    // MARK: TCP

    private func connect() {
        let peer = self.plan.firstPeer
        self.remaining = self.plan.steps[...]
        let bootstrap = ClientBootstrap(group: self.eventLoop)
            // The deadline over everything is shorter; this one only must not fire first.
            .connectTimeout(self.plan.timeout + .seconds(1))
            .channelInitializer { channel in
                self.connecting.append(channel)
                return channel.eventLoop.makeSucceededVoidFuture()
            }
            .channelOption(.allowRemoteHalfClosure, value: true)
            .channelOption(.tcpOption(.tcp_nodelay), value: 1)
        let filter = self.plan.route.hops.isEmpty ? self.plan.filter : nil
        switch peer.host {
        case .name(let name):
            self.phase = .resolve
            let resolver = AddressResolver(eventLoop: self.eventLoop, filter: filter)
            self.resolver = resolver
            let asked = NIODeadline.now()
            resolver.answer.whenSuccess { _ in
                self.resolveTime = self.resolveTime + (.now() - asked)
                self.phase = .connect
            }
            bootstrap.resolver(resolver).connect(host: name, port: Int(peer.port)).whenComplete(
                self.connected)
        case .address(let address):
            self.phase = .connect
            if let objection = filter?(address, peer.port) {
                return self.fail(self.error(.forbidden, .policy, objection))
            }
            do {
                let socketAddress = try SocketAddress(ipAddress: address.description, port: Int(peer.port))
                bootstrap.connect(to: socketAddress).whenComplete(self.connected)
            } catch {
                self.fail(self.error(.connectionFailed, .network, "\(peer): \(error)", underlying: error))
            }
        }
    }

    @Sendable
    private func connected(_ result: Result<any Channel, any Error>) {
        switch result {
        case .success(let channel):
            guard !self.isFinished else { return channel.close(promise: nil) }
            self.channel = channel
            self.connecting = []
            self.resolver = nil
            self.phase = .connect
            self.runNextStep()
        case .failure(let error):
            self.fail(DialErrors.connect(error, peer: self.plan.firstPeer))
        }
    }

    // MARK: Steps

    private func runNextStep() {
        guard let channel, !self.isFinished else { return }
        do {
            switch self.remaining.popFirst() {
            case .proxyTLS(let index):
                let hop = self.plan.route.hops[index]
                guard let tls = self.plan.hopTLS[index] else {
                    preconditionFailure("a plan prepares TLS for every https hop")
                }
                self.phase = .proxyTLS(hop)
                try self.startTLS(tls, host: hop.authority.host, fault: .proxy, on: channel)
                try channel.pipeline.syncOperations.addHandler(UncleanShutdownFilter())
            case .connect(let index, let target):
                self.phase = .proxyConnect(self.plan.route.hops[index])
                try self.startConnect(hop: index, target: target, on: channel)
            case .targetTLS(let tls):
                self.phase = .targetTLS
                try self.startTLS(tls, host: self.plan.target.host, fault: .target, on: channel)
            case nil:
                let output = try self.configure(channel)
                self.isFinished = true
                self.deadline?.cancel()
                self.promise.succeed(output)
            }
        } catch {
            self.fail(self.error(.connectionClosed, .network, "\(error)", underlying: error))
        }
    }

    private func startTLS(
        _ tls: PreparedTLS,
        host: Authority.Host,
        fault: TunnelError.Fault,
        on channel: any Channel
    ) throws {
        let handler = try NIOSSLClientHandler(context: tls.context, serverHostname: tls.serverName)
        let waiter = TLSHandshakeHandler(tls: handler, address: tls.address) { result in
            switch result {
            case .success: self.runNextStep()
            case .failure(let error): self.fail(self.tlsError(error, host: host, fault: fault))
            }
        }
        // The waiter first: the TLS handler starts its handshake as it is added, and may fail at once.
        try channel.pipeline.syncOperations.addHandler(waiter)
        try channel.pipeline.syncOperations.addHandler(handler, position: .before(waiter))
    }

    private func startConnect(hop index: Int, target: Authority, on channel: any Channel) throws {
        // Fields may hold what is meant for one proxy: the first, whom the caller configured.
        let fields = index == 0 ? self.plan.connectFields : [:]
        let machine = ConnectClientMachine(target: target, fields: fields)
        let handler = ConnectHandler(machine: machine, authorization: self.authorizations[index]) { outcome in
            self.connectEnded(outcome, hop: index)
        }
        try channel.pipeline.syncOperations.addHandler(handler)
    }

    /// Returns what to send on the same connection in answer to a challenge.
    private func connectEnded(_ outcome: ConnectHandler.Outcome, hop index: Int) -> String? {
        guard !self.isFinished else { return nil }
        let hop = self.plan.route.hops[index]
        switch outcome {
        case .established:
            self.runNextStep()
        case .challenged(let refusal, let values, let keepsConnection):
            return self.challenged(refusal, values, keepsConnection: keepsConnection, hop: index)
        case .refused(let refusal):
            self.fail(self.refusedError(ProxyRefusal(refusal), hop: hop))
        case .failed(.closed(afterBytes: 0)) where self.retriedHop == index:
            // It promised to keep the connection behind its 407, and did not: the answer rides on a new one.
            self.retriedHop = nil
            self.channel = nil
            self.connect()
        case .failed(let failure):
            self.fail(self.malformedAnswerError(failure))
        case .connectionLost(let error):
            self.fail(
                self.error(
                    .connectionClosed, .proxy, "the connection was lost before the proxy answered: \(error)",
                    underlying: error))
        }
        return nil
    }

    private func challenged(
        _ refusal: ConnectRefusal,
        _ values: [String],
        keepsConnection: Bool,
        hop index: Int
    ) -> String? {
        let hop = self.plan.route.hops[index]
        let challenges = Challenge.parse(values)
        let answer = ChallengeAnswer.to(
            challenges, credentials: hop.credentials, alreadyAnswered: self.answeredHops.contains(index))
        guard case .authorize(let value) = answer else {
            self.fail(self.authenticationError(answer, ProxyRefusal(refusal, challenges: challenges)))
            return nil
        }
        self.answeredHops.insert(index)
        self.authorizations[index] = value
        if keepsConnection {
            self.retriedHop = index
            return value
        }
        // The handler closes this connection; a new one carries the answer with its first CONNECT.
        self.channel = nil
        self.connect()
        return nil
    }

    // MARK: Ends

    private func fail(_ error: TunnelError) {
        guard !self.isFinished else { return }
        self.isFinished = true
        self.deadline?.cancel()
        self.channel?.close(promise: nil)
        self.resolver?.cancelQueries()
        for channel in self.connecting { channel.close(promise: nil) }
        self.connecting = []
        self.promise.fail(error)
    }

    private func timedOut() {
        let seconds = Double(self.plan.timeout.nanoseconds) / 1e9
        let fault: TunnelError.Fault =
            switch self.phase {
            case .configuration, .resolve, .connect: .network
            case .proxyTLS, .proxyConnect: .proxy
            case .targetTLS: .target
            }
        self.fail(self.error(.timedOut, fault, "no answer from \(self.currentPeer) within \(seconds) s"))
    }

    private var currentPeer: String {
        switch self.phase {
        case .configuration, .resolve, .connect: "\(self.plan.firstPeer)"
        case .proxyTLS(let hop), .proxyConnect(let hop): "\(hop)"
        case .targetTLS: "\(self.plan.target)"
        }
    }

    func error(
        _ code: TunnelError.Code,
        _ fault: TunnelError.Fault,
        _ detail: String,
        refusal: ProxyRefusal? = nil,
        underlying: (any Error)? = nil
    ) -> TunnelError {
        TunnelError(
            code, phase: self.phase, fault: fault, detail: detail, refusal: refusal, underlying: underlying)
    }

    private func tlsError(_ error: any Error, host: Authority.Host, fault: TunnelError.Fault) -> TunnelError {
        let detail = "the TLS handshake with \(host) failed: \(DialErrors.describeTLS(error))"
        return self.error(.tlsFailed, fault, detail, underlying: error)
    }

    private func refusedError(_ refusal: ProxyRefusal, hop: ProxyHop) -> TunnelError {
        let detail =
            refusal.response.status.code == 407
            ? "\(hop) answered 407 without a challenge, so there is nothing to answer"
            : "\(hop) refused the tunnel to \(self.plan.target): \(refusal.status)"
        return self.error(.refusedByProxy, .proxy, detail, refusal: refusal)
    }

    private func malformedAnswerError(_ failure: ConnectFailure) -> TunnelError {
        self.error(.malformedProxyAnswer, .proxy, "\(failure)", underlying: nil)
    }

    private func authenticationError(_ answer: ChallengeAnswer, _ refusal: ProxyRefusal) -> TunnelError {
        let offered = refusal.challenges.map(\.description).joined(separator: ", ")
        let detail =
            switch answer {
            case .authorize: preconditionFailure("an answer at hand is no error")
            case .credentialsMissing:
                "the proxy answered 407 and wants credentials (\(offered)); put them in its URL: http://user:password@host:port"
            case .credentialsRejected:
                "the proxy answered 407 again: it rejects the user name or password (\(offered))"
            case .credentialsUnsendable:
                "the proxy answered 407, but Basic cannot send this user name or password: no colon in the name, no control characters"
            case .schemesUnsupported(let schemes):
                "the proxy answered 407 and offers only \(schemes.joined(separator: ", ")), but Basic is what is spoken here"
            }
        return self.error(.authenticationFailed, .proxy, detail, refusal: refusal)
    }
}
