import CulvertTunnel
import HTTPTypes
import HTTPWire
import NIOCore
import ProxyAuth
import ProxyRoutes

/// The authentication of one forwarded request with the parent that gets it, over all connections that it takes.
/// Lives on the event loop of the request.
final class ParentAuthentication {
    /// What becomes of a challenged request.
    enum Verdict {
        /// Send it again on this connection.
        case send(ForwardHop)
        /// Build a new connection, then ``begin(on:_:)``.
        case reconnect
        case fail(Rejection)
    }

    private let parent: ProxyHop
    private let request: ProxyAuthenticator.Request
    private let authentication: HopAuthentication
    private var isAdmitted = false
    /// The mechanism was asked, and the connection has to be silent meanwhile.
    private(set) var isAnswering = false
    /// What went out last answered a challenge of the same connection.
    private(set) var hasAnsweredHere = false

    init(_ request: ForwardRequest, with parent: ProxyHop, _ dialer: Dialer, on eventLoop: any EventLoop) {
        self.parent = parent
        self.request = .init(method: request.head.method.rawValue, target: request.target.absoluteForm)
        self.authentication = dialer.authentication(with: parent, on: eventLoop)
    }

    /// How the request goes out first on a connection, told now or once the mechanism has answered.
    func begin(on connection: OriginConnection, _ then: @escaping (ForwardHop) -> Void) {
        self.hasAnsweredHere = false
        self.isAnswering = true
        self.authentication.begin(
            self.request, binding: self.binding(of: connection), isAuthenticated: connection.isAuthenticated
        ) { value in
            self.isAnswering = false
            then(self.hop(value))
        }
    }

    /// Answers a 407, now or once the mechanism has answered.
    ///
    /// - Parameters:
    ///   - values: its `Proxy-Authenticate` lines.
    ///   - connection: the one it came on, where that can carry the answer.
    ///   - canRepeat: the request can be sent again.
    func challenged(
        _ values: [String], on connection: OriginConnection?, canRepeat: Bool,
        _ then: @escaping (Verdict) -> Void
    ) {
        if values.isEmpty {
            return then(self.failure("it answered 407 without a challenge, so there is nothing to answer"))
        }
        connection?.isAuthenticated = false
        self.isAnswering = true
        let challenges = Challenge.parse(values)
        self.authentication.challenged(
            challenges, request: self.request, keepsConnection: connection != nil
        ) { reply in
            self.isAnswering = false
            then(self.verdict(reply, challenges, connection, canRepeat: canRepeat))
        }
    }

    private func verdict(
        _ reply: HopAuthentication.Reply, _ challenges: [Challenge], _ connection: OriginConnection?,
        canRepeat: Bool
    ) -> Verdict {
        switch reply {
        case .fail(let failure):
            return self.failure(DialErrors.authentication(failure, offered: challenges))
        case .retry, .reconnect:
            if !canRepeat {
                self.authentication.keepForNextRequest()
                return .fail(.parentNeedsAnotherTry)
            }
            guard case .retry(let value) = reply else { return .reconnect }
            self.hasAnsweredHere = true
            return connection?.isUsable == true ? .send(self.hop(value)) : self.connectionEnded()
        }
    }

    /// The connection closed before anything came back on it.
    func connectionEnded() -> Verdict {
        guard self.hasAnsweredHere else { return .reconnect }
        self.hasAnsweredHere = false
        guard let failure = self.authentication.carryOver() else { return .reconnect }
        return self.failure(DialErrors.authentication(failure, offered: []))
    }

    /// The parent did not ask for what was offered ahead of the request: it goes out as it is.
    func offerIgnored(on connection: OriginConnection?) -> Verdict {
        self.authentication.wasNotAsked()
        return connection?.isUsable == true ? .send(.parent(authorization: nil)) : .reconnect
    }

    /// The parent passed the request on.
    func admitted(on connection: OriginConnection) {
        guard !self.isAdmitted else { return }
        self.isAdmitted = true
        if self.authentication.succeeded() { connection.isAuthenticated = true }
    }

    private func hop(_ value: String?) -> ForwardHop {
        if let value, self.authentication.isOffering { return .parentToChallenge(offer: value) }
        return .parent(authorization: value)
    }

    private func binding(of connection: OriginConnection) -> ChannelBinding? {
        self.parent.scheme == .https ? connection.channelBinding : nil
    }

    private func failure(_ reason: String) -> Verdict {
        .fail(.parentAuthentication("parent \(self.parent): \(reason)"))
    }
}
