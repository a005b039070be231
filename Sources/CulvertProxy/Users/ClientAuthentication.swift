import CulvertTunnel
import HTTPTypes
import HTTPWire
import NIOCore
import ProxyAuth

/// Who the client of one connection is. NTLM and Negotiate let in the connection, not the request (RFC 4559 §6): what
/// they have begun, and whom they have let in, stays with it.
final class ClientAuthentication {
    private var ntlm = NTLMVerifier()
    private var negotiate: NegotiateAcceptor?
    /// Whom a scheme of connections let in, with the users of which he was one.
    private var bound: (user: String, authenticator: Authenticator)?

    /// Who asks for this, by its `Proxy-Authorization`, or by what the connection has shown before. Complete at once where
    /// nothing slow is needed.
    func outcome(
        of head: RequestHead, by authenticator: Authenticator, on eventLoop: any EventLoop
    ) -> EventLoopFuture<Authenticator.Outcome> {
        guard let fieldValue = head.fields[.proxyAuthorization] else {
            // A reload may have struck the user off: he shows himself again.
            let user = self.bound.flatMap { $0.authenticator === authenticator ? $0.user : nil }
            return eventLoop.makeSucceededFuture(user.map { .user($0) } ?? .unknown)
        }
        self.bound = nil
        guard let field = AuthorizationField(fieldValue) else {
            return eventLoop.makeSucceededFuture(.unknown)
        }
        switch field.scheme {
        case "negotiate": return self.negotiate(field, authenticator, on: eventLoop)
        case "ntlm": return eventLoop.makeSucceededFuture(self.ntlm(field, authenticator))
        case "digest": return eventLoop.makeSucceededFuture(authenticator.digest(head, fieldValue))
        default: return authenticator.authenticate(field, on: eventLoop)
        }
    }

    private func ntlm(_ field: AuthorizationField, _ authenticator: Authenticator) -> Authenticator.Outcome {
        guard let users = authenticator.ntlmUsers else { return .unknown }
        let outcome = self.ntlm.receive(
            String(field.credentials), users: users, name: "CULVERT", serverChallenge: RandomBytes.make(8),
            time: FileTime.now)
        switch outcome {
        case .challenge(let token): return .challenge(["NTLM \(token)"])
        case .user(let user):
            self.bound = (user, authenticator)
            return .user(user)
        case .unknown: return .unknown
        }
    }

    private func negotiate(
        _ field: AuthorizationField, _ authenticator: Authenticator, on eventLoop: any EventLoop
    ) -> EventLoopFuture<Authenticator.Outcome> {
        guard authenticator.acceptsNegotiate, let bytes = Base64.decode(field.credentials),
            let acceptor = self.negotiate ?? (try? NegotiateAcceptor())
        else { return eventLoop.makeSucceededFuture(.unknown) }
        self.negotiate = nil
        let state = NIOLoopBound(self, eventLoop: eventLoop)
        return authenticator.negotiate(bytes, acceptor, on: eventLoop).map { outcome in
            switch outcome {
            case .challenge: state.value.negotiate = acceptor
            case .user(let user): state.value.bound = (user, authenticator)
            case .unknown, .overloaded: break
            }
            return outcome
        }
    }
}
