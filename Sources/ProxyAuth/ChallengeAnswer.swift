/// What to do about the challenges of a 407.
package enum ChallengeAnswer: Sendable, Hashable {
    /// Send this `Proxy-Authorization` value.
    case authorize(String)
    /// No user name and password are at hand.
    case credentialsMissing
    /// These credentials were already sent for this hop and came back with another challenge.
    case credentialsRejected
    /// The credentials hold a character that the scheme cannot send.
    case credentialsUnsendable
    /// None of the offered schemes is spoken here.
    case schemesUnsupported([String])

    /// Decides on values alone.
    ///
    /// - Parameters:
    ///   - challenges: the challenges of the 407.
    ///   - credentials: what the hop was configured with.
    ///   - alreadyAnswered: whether this hop was sent the credentials before: Basic has no second try.
    package static func to(
        _ challenges: [Challenge],
        credentials: ProxyCredentials?,
        alreadyAnswered: Bool
    ) -> ChallengeAnswer {
        guard challenges.contains(where: { $0.scheme == "basic" }) else {
            return .schemesUnsupported(challenges.map(\.scheme))
        }
        guard let credentials else { return .credentialsMissing }
        guard !alreadyAnswered else { return .credentialsRejected }
        guard let value = BasicScheme.authorization(for: credentials) else { return .credentialsUnsendable }
        return .authorize(value)
    }
}
