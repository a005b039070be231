import CulvertTunnel
import HTTPTypes
import HTTPWire
import NIOCore
import ProxyAuth
import SOCKSWire

/// The machine of the protocol that a client speaks, under one set of actions: SOCKS asks for the same tunnel as CONNECT,
/// so users, rules, limits, dial, relay and log are the same.
struct ClientMachine {
    typealias Action = ConnectServerMachine.Action

    private var http: ConnectServerMachine
    /// Present when the client speaks SOCKS.
    private var socks: SOCKSServerMachine?
    private var output = ByteBuffer()

    init(_ http: ConnectServerMachine, socks: SOCKSServerMachine? = nil) {
        self.http = http
        self.socks = socks
    }

    /// The last head that was parsed, for the log.
    var receivedHead: RequestHead? { self.http.receivedHead }

    /// What is to be written before the next action is performed; nil when there is nothing.
    mutating func takeOutput() -> ByteBuffer? {
        guard self.output.readableBytes > 0 else { return nil }
        defer { self.output = ByteBuffer() }
        return self.output
    }

    mutating func receive(_ bytes: ByteBuffer) -> Action {
        guard let action = self.socks?.receive(bytes) else { return self.http.receive(bytes) }
        return self.translated(action)
    }

    mutating func receiveEOF() -> Action {
        guard let action = self.socks?.receiveEOF() else { return self.http.receiveEOF() }
        return self.translated(action)
    }

    mutating func headDeadlineExpired() -> Action {
        guard let action = self.socks?.deadlineExpired() else { return self.http.headDeadlineExpired() }
        return self.translated(action)
    }

    mutating func authenticated() -> Action {
        guard let action = self.socks?.authenticated() else { return self.http.authenticated() }
        return self.translated(action)
    }

    /// - Parameter challenges: what HTTP answers with; SOCKS has none.
    mutating func authenticationFailed(challenges: [String]) -> Action {
        guard let action = self.socks?.authenticationFailed() else {
            return self.http.authenticationFailed(challenges: challenges)
        }
        return self.translated(action)
    }

    mutating func authorised() -> Action {
        guard let action = self.socks?.authorised() else { return self.http.authorised() }
        return self.translated(action)
    }

    mutating func denied(_ rejection: Rejection) -> Action {
        guard let action = self.socks?.denied(SOCKSRefusal(rejection)) else {
            return self.http.denied(rejection)
        }
        return self.translated(action)
    }

    mutating func dialSucceeded() -> Action {
        guard let action = self.socks?.dialSucceeded() else { return self.http.dialSucceeded() }
        return self.translated(action)
    }

    mutating func dialFailed(_ error: TunnelError) -> Action {
        guard let action = self.socks?.dialFailed(SOCKSRefusal(error)) else {
            return self.http.dialFailed(Rejection(error))
        }
        return self.translated(action)
    }
}

// Only HTTP has requests that are forwarded, and connections that go on behind a refusal.
extension ClientMachine {
    mutating func exchangeEnded(leftover: ByteBuffer, inputClosed: Bool, keepsConnection: Bool) -> Action {
        self.http.exchangeEnded(
            leftover: leftover, inputClosed: inputClosed, keepsConnection: keepsConnection)
    }

    mutating func exchangeRefused(
        _ rejection: Rejection, leftover: ByteBuffer, inputClosed: Bool, mayPersist: Bool
    ) -> Action {
        self.http.exchangeRefused(
            rejection, leftover: leftover, inputClosed: inputClosed, mayPersist: mayPersist)
    }

    mutating func refusalSent(inputClosed: Bool) -> Action { self.http.refusalSent(inputClosed: inputClosed) }
}

extension ClientMachine {
    private mutating func translated(_ first: SOCKSServerMachine.Action) -> Action {
        var action = first
        while case .send(let message) = action {
            self.output.writeImmutableBuffer(message)
            action = self.socks?.receive(ByteBuffer()) ?? .close
        }
        switch action {
        case .needMore, .send: return .needMore
        case .pauseReading: return .pauseReading
        case .authenticate(let credentials): return .authenticate(Self.head(credentials))
        case .authorise(let target):
            return .authorise(target, RequestHead(method: .connect, target: target.description))
        case .dial(let target): return .dial(target)
        case .establish(let response, let early, let inputClosed):
            return .establish(response: response, early: early, inputClosed: inputClosed)
        case .reject(let response, let refusal):
            return .reject(response: response, Rejection(refusal), then: .close)
        case .close: return .close
        }
    }

    /// The request that asks for the same by HTTP; its target is not known yet. What Basic cannot carry is nobody's name.
    private static func head(_ credentials: SOCKSCredentials) -> RequestHead {
        let given = ProxyCredentials(user: credentials.user, password: Secret(credentials.password))
        var head = RequestHead(method: .connect, target: "")
        head.fields[.proxyAuthorization] = BasicScheme.authorization(for: given)
        return head
    }
}

extension Rejection {
    /// For the log and the metrics: the client has its reply.
    fileprivate init(_ refusal: SOCKSRefusal) {
        self.init(status: refusal.status, reason: refusal.reason, text: "")
    }
}
