package import HTTPWire

/// What clients may reach: judged by what the request names, then for each address the name resolves to. The first
/// rule that matches decides.
public struct AccessPolicy: Sendable, Hashable {
    /// Whether the verdicts of ``rules`` count.
    public enum Mode: String, Sendable, Hashable, CaseIterable {
        /// Denied is refused.
        case enforce
        /// What the rules deny passes and is logged as such, to try rules out. Ports and the guard still count.
        case report
    }

    /// Ports a CONNECT may name; nil allows every port.
    public var connectPorts: Set<UInt16>?
    /// In their order; the first that matches decides.
    public var rules: [AccessRule] = []
    /// For what no rule matches.
    public var defaultAction = AccessRule.Action.allow
    /// Whether the rules are enforced.
    public var mode = Mode.enforce
    /// Refuses special-purpose addresses; nil refuses none. No rule lets through what it refuses.
    package var addressGuard: AddressGuard?

    /// Allows everything until a property says otherwise.
    public init(_ configure: (inout AccessPolicy) -> Void = { _ in }) {
        configure(&self)
    }

    /// Judges the request by what it names; nil where only the target's addresses can tell.
    package func decide(_ request: AccessRequest) -> AccessDecision? {
        if let refusal = self.portRefusal(request) { return refusal }
        // A literal needs no resolver, and with a parent proxy this is the only look at it.
        if case .address(let address) = request.target.host { return self.decide(request, address: address) }
        return self.decideByRules(request, address: nil).map(self.moded)
    }

    /// Judges one resolved address: the one that is dialled must have passed here.
    package func decide(_ request: AccessRequest, address: IPAddress) -> AccessDecision {
        if let objection = self.addressGuard?.objection(to: address) {
            return .deny("guard", "\(address) is a \(objection) address")
        }
        return self.moded(self.decideByRules(request, address: address) ?? self.byDefault)
    }

    private func portRefusal(_ request: AccessRequest) -> AccessDecision? {
        guard let connectPorts, request.method == "CONNECT", !connectPorts.contains(request.target.port)
        else {
            return nil
        }
        return .deny("connect-port", "port \(request.target.port) is not allowed")
    }

    /// Nil where rules that need the address could still say one thing or the other.
    private func decideByRules(_ request: AccessRequest, address: IPAddress?) -> AccessDecision? {
        var possible: Set<AccessRule.Action> = []
        for rule in self.rules {
            switch rule.match(request, address: address) {
            case .differs: continue
            case .dependsOnAddress: possible.insert(rule.action)
            case .matches: return possible.isSubset(of: [rule.action]) ? Self.decision(of: rule) : nil
            }
        }
        return possible.isSubset(of: [self.defaultAction]) ? self.byDefault : nil
    }

    private static func decision(of rule: AccessRule) -> AccessDecision {
        rule.action == .allow
            ? .allow(rule.name, "allowed by \(rule.name)") : .deny(rule.name, "denied by \(rule.name)")
    }

    private var byDefault: AccessDecision {
        self.defaultAction == .allow
            ? .allow("default", "allowed: no rule denies it") : .deny("default", "denied: no rule allows it")
    }

    private func moded(_ decision: AccessDecision) -> AccessDecision {
        self.mode == .report && !decision.isAllowed ? decision.reported : decision
    }
}
