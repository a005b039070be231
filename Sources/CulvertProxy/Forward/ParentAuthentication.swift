import CulvertTunnel
import HTTPWire
import ProxyAuth
import ProxyRoutes
import Synchronization

/// What parents that forward want to hear, once they asked.
///
/// Basic and Bearer stand for themselves in every request. The other schemes speak about a request or a connection in
/// several rounds: a parent that wants one of them is asked for tunnels, whose dialer knows how.
final class ParentAuthentication: Sendable {
    private enum Manner {
        case value(String)
        case tunnel
    }

    /// What to do about a 407.
    enum Verdict {
        /// Send the request again: with the value, or in a tunnel.
        case again
        /// For the log.
        case fail(String)
    }

    private let manners = Mutex<[ProxyHop: Manner]>([:])

    /// What goes out with a request, unasked where the parent asked before (RFC 7617 §2.2).
    func authorization(for parent: ProxyHop, _ options: ProxyAuthOptions) -> String? {
        switch self.manners.withLock({ $0[parent] }) {
        case .value(let value): value
        case .tunnel: nil
        case nil: options.sendsUnasked ? parent.credentials.flatMap(Self.value) : nil
        }
    }

    func wantsTunnel(_ parent: ProxyHop) -> Bool {
        if case .tunnel = self.manners.withLock({ $0[parent] }) { true } else { false }
    }

    /// - Parameter alreadyAnswered: the request carried an authorization.
    func judge(
        _ fieldValues: [String], of parent: ProxyHop, _ options: ProxyAuthOptions, alreadyAnswered: Bool
    ) -> Verdict {
        if fieldValues.isEmpty { return .fail("the parent answered 407 without a challenge") }
        if alreadyAnswered { return .fail("the parent rejects the user name, the password or the token") }
        let offered = Challenge.parse(fieldValues).map(\.scheme)
        guard let manner = Self.manner(offered, parent.credentials, options) else {
            return .fail(
                parent.credentials == nil
                    ? "the parent wants credentials, and none are configured"
                    : "the parent offers only \(offered.joined(separator: ", ")), which is not allowed or cannot be used"
            )
        }
        self.manners.withLock { $0[parent] = manner }
        return .again
    }

    /// By the first scheme of the preferred order that is offered and possible.
    private static func manner(
        _ offered: [String], _ credentials: ProxyCredentials?, _ options: ProxyAuthOptions
    ) -> Manner? {
        for scheme in options.schemes where offered.contains(scheme.rawValue) {
            guard scheme == .negotiate || credentials?.suffice(for: scheme) == true else { continue }
            switch scheme {
            case .negotiate, .digest, .ntlm: return .tunnel
            case .basic, .bearer:
                if let value = credentials.flatMap(self.value) { return .value(value) }
            }
        }
        return nil
    }

    private static func value(_ credentials: ProxyCredentials) -> String? {
        if let token = credentials.token { return BearerScheme.authorization(for: token) }
        return credentials.ntHash == nil ? BasicScheme.authorization(for: credentials) : nil
    }
}
