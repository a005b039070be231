/// Why a 407 cannot be answered.
package enum ProxyAuthenticationFailure: Sendable, Hashable {
    /// No user name and password are at hand; and why there was no ticket either, where one was asked for.
    case credentialsMissing(String?)
    /// What was sent came back with another challenge.
    case rejected
    /// The credentials hold a character that the offered schemes cannot send.
    case credentialsUnsendable
    /// None of the offered schemes is spoken here, or fits the credentials.
    case schemesUnsupported([String])
    /// Negotiate is all that is offered, and its mechanism has no token.
    case negotiateUnavailable(String)
    /// The scheme authenticates a connection, and the proxy closed it in the middle.
    case connectionNotKept
    /// What the proxy sent is no message of the scheme.
    case malformedChallenge(AuthenticationScheme)
}

/// Why the mechanism behind Negotiate has no token.
package struct NegotiateFailure: Error, Sendable, Hashable, CustomStringConvertible {
    package let description: String

    package init(_ description: String) {
        self.description = description
    }
}
