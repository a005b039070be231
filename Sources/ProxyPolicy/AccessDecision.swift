/// A verdict, and which rule gave it.
public struct AccessDecision: Sendable, Hashable {
    /// Whether the request, or the address, passes.
    public let isAllowed: Bool
    /// The rule's name for the log: one of the operator's, or `default`, `connect-port`, `guard`, `loop`.
    public let rule: String
    /// Why, for the answer and the log.
    public let reason: String
    /// Let through by ``AccessPolicy/Mode/report`` alone: enforced, it would have been denied.
    public let wouldBeDenied: Bool

    package init(isAllowed: Bool, rule: String, reason: String, wouldBeDenied: Bool = false) {
        self.isAllowed = isAllowed
        self.rule = rule
        self.reason = reason
        self.wouldBeDenied = wouldBeDenied
    }

    package static func allow(_ rule: String, _ reason: String) -> AccessDecision {
        AccessDecision(isAllowed: true, rule: rule, reason: reason)
    }

    package static func deny(_ rule: String, _ reason: String) -> AccessDecision {
        AccessDecision(isAllowed: false, rule: rule, reason: reason)
    }

    /// The same denial in report mode.
    package var reported: AccessDecision {
        AccessDecision(isAllowed: true, rule: self.rule, reason: self.reason, wouldBeDenied: !self.isAllowed)
    }
}
