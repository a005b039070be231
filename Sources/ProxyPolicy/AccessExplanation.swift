package import HTTPWire

/// Why a request is let through or refused, rule by rule.
public struct AccessExplanation: Sendable, Hashable, CustomStringConvertible {
    /// Whether the request passes.
    public let isAllowed: Bool
    /// The words, line by line.
    public let lines: [String]

    /// The lines as a text.
    public var description: String { self.lines.joined(separator: "\n") }

    package init(isAllowed: Bool, lines: [String]) {
        self.isAllowed = isAllowed
        self.lines = lines
    }
}

extension AccessPolicy {
    /// Goes through the rules aloud: first for the name, then for each address where those matter.
    ///
    /// - Parameter addresses: what the name resolves to; empty where it does not.
    package func explain(_ request: AccessRequest, addresses: [IPAddress]) -> AccessExplanation {
        var lines: [String] = []
        if let connectPorts, request.method == "CONNECT" {
            let isListed = connectPorts.contains(request.target.port)
            lines.append(
                self.line("connect-port", "port \(request.target.port) is\(isListed ? "" : " not") allowed"))
        }
        if case .address(let address) = request.target.host {
            lines += self.walk(request, address: address)
            return self.conclude(lines, [self.decide(request) ?? self.decide(request, address: address)])
        }
        let byName = self.decide(request)
        lines += self.walk(request, address: nil)
        if let byName, !byName.isAllowed { return self.conclude(lines, [byName]) }
        guard byName == nil || self.addressGuard != nil else {
            return self.conclude(lines, byName.map { [$0] } ?? [])
        }
        for address in addresses {
            lines.append("\(address):")
            lines += self.guardLine(address).map { "  " + $0 }
            if byName == nil { lines += self.walk(request, address: address).map { "  " + $0 } }
        }
        return self.conclude(lines, addresses.map { self.decide(request, address: $0) })
    }

    /// Each rule up to the one that decides.
    private func walk(_ request: AccessRequest, address: IPAddress?) -> [String] {
        var lines: [String] = []
        if case .address(let literal) = request.target.host { lines += self.guardLine(literal) }
        for rule in self.rules {
            switch rule.match(request, address: address) {
            case .differs(let difference): lines.append(self.line(rule.name, "does not match: \(difference)"))
            case .dependsOnAddress:
                lines.append(self.line(rule.name, "depends on the addresses: \(rule.action.rawValue)"))
            case .matches: return lines + [self.line(rule.name, "matches: \(rule.action.rawValue)")]
            }
        }
        return lines + [self.line("default", self.defaultAction.rawValue)]
    }

    private func guardLine(_ address: IPAddress) -> [String] {
        guard let addressGuard else { return [] }
        let objection = addressGuard.objection(to: address)
        return [self.line("guard", objection.map { "refuses \(address): \($0)" } ?? "lets \(address) pass")]
    }

    private func line(_ rule: String, _ text: String) -> String { "\(rule): \(text)" }

    /// One address that passes is enough: it is the one that is dialled.
    private func conclude(_ lines: [String], _ decisions: [AccessDecision]) -> AccessExplanation {
        let decision = decisions.first(where: \.isAllowed) ?? decisions.first
        guard let decision else {
            return AccessExplanation(isAllowed: false, lines: lines + ["the name does not resolve: 502"])
        }
        let verdict = decision.isAllowed ? "allowed" : "denied"
        let note = decision.wouldBeDenied ? ", in report mode only: enforced, it is denied" : ""
        return AccessExplanation(
            isAllowed: decision.isAllowed, lines: lines + ["\(verdict) by \(decision.rule)\(note)"])
    }
}
