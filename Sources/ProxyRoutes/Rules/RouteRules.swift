public import HTTPWire

/// Which way goes to which target. The first rule that matches decides; the last one is for every target, so that
/// nothing goes out by an oversight.
///
/// `*.corp.example direct; * http://proxy:8080, http://backup:8080` sends what is below corp.example out directly and
/// everything else through the first proxy that can be reached. A chain is written `http://a:8080 -> socks5h://b:1080`.
public struct RouteRules: Sendable, Hashable {
    /// One rule.
    public struct Rule: Sendable, Hashable {
        /// The targets it is for.
        public let pattern: TargetPattern
        /// The ways to them, in the order they are tried.
        public let routes: [Route]
    }

    /// In the order they are asked.
    public private(set) var rules: [Rule]
    /// What was assumed of the proxies' URLs, for example a port.
    package private(set) var assumptions: [String] = []

    /// More is a mistake, or an attack on whoever reads it.
    private static let maxRules = 10_000
    private static let maxRoutes = 32

    /// Reads rules that are parted by semicolons or lines.
    ///
    /// - Throws: ``RouteRulesError``, whose text never holds a password.
    public init(_ text: some StringProtocol) throws(RouteRulesError) {
        try self.init([String(text)])
    }

    /// Reads rules from several texts, one behind the other.
    package init(_ texts: [String]) throws(RouteRulesError) {
        self.rules = []
        let lines = texts.flatMap { $0.split { $0 == ";" || $0.isNewline } }
        for line in lines where !line.allSatisfy(\.isWhitespace) {
            guard self.rules.count < Self.maxRules else {
                throw RouteRulesError(rule: nil, problem: .tooMany)
            }
            let rule = try self.rule(line, number: self.rules.count + 1)
            if let last = self.rules.last, last.pattern.isForAll {
                throw RouteRulesError(rule: "\(rule.pattern)", problem: .neverReached)
            }
            self.rules.append(rule)
        }
        guard self.rules.last?.pattern.isForAll == true else {
            throw RouteRulesError(rule: nil, problem: .noRuleForAll)
        }
    }

    /// The ways to a target, in the order they are tried.
    public func routes(to target: Authority) -> [Route] {
        self.rule(for: target)?.routes ?? []
    }

    /// The rule that decides on a target.
    public func rule(for target: Authority) -> Rule? {
        self.rules.first { $0.pattern.matches(target) }
    }

    /// The rules with other hops in their routes.
    package func mappingHops<Failure: Error>(
        _ transform: (ProxyHop) throws(Failure) -> ProxyHop
    ) throws(Failure) -> RouteRules {
        var copy = self
        copy.rules = []
        for rule in self.rules {
            var routes: [Route] = []
            for route in rule.routes { routes.append(Route(try route.hops.map(transform))) }
            copy.rules.append(Rule(pattern: rule.pattern, routes: routes))
        }
        return copy
    }

    private mutating func rule(_ line: Substring, number: Int) throws(RouteRulesError) -> Rule {
        let words = line.split(maxSplits: 1, whereSeparator: \.isWhitespace)
        // The second word may be a URL with a password, the first may not.
        guard words.count == 2 else { throw RouteRulesError(rule: "rule \(number)", problem: .incomplete) }
        guard let pattern = TargetPattern(words[0]) else {
            throw RouteRulesError(rule: "rule \(number)", problem: .pattern)
        }
        let texts = words[1].split(separator: ",", omittingEmptySubsequences: false)
        guard texts.count <= Self.maxRoutes else {
            throw RouteRulesError(rule: "\(pattern)", problem: .tooMany)
        }
        var routes: [Route] = []
        for text in texts { routes.append(try self.route(text, of: pattern)) }
        return Rule(pattern: pattern, routes: routes)
    }

    private mutating func route(
        _ text: Substring, of pattern: TargetPattern
    ) throws(RouteRulesError) -> Route {
        if Self.trimmed(text).lowercased() == "direct" { return .direct }
        var hops: [ProxyHop] = []
        for part in text.split(separator: "->", omittingEmptySubsequences: false).map(Self.trimmed) {
            guard part.lowercased() != "direct" else {
                throw RouteRulesError(rule: "\(pattern)", problem: .directInChain)
            }
            do {
                let (hop, assumptions) = try ProxyHop.parse(part)
                self.assumptions += assumptions.map { "\(pattern): \($0)" }
                hops.append(hop)
            } catch {
                throw RouteRulesError(rule: "\(pattern)", problem: .proxy(error))
            }
        }
        return Route(hops)
    }

    private static func trimmed(_ text: Substring) -> Substring {
        var text = text.drop(while: \.isWhitespace)
        while text.last?.isWhitespace == true { text.removeLast() }
        return text
    }
}

/// Rules that cannot be used.
public struct RouteRulesError: Error, Hashable, Sendable, CustomStringConvertible {
    /// What is wrong.
    public enum Problem: Hashable, Sendable {
        /// A rule is a pattern and its routes.
        case incomplete
        /// The pattern can match nothing.
        case pattern
        /// A proxy's URL cannot be used.
        case proxy(ProxyURLError)
        /// `direct` stands among the proxies of a chain.
        case directInChain
        /// The last rule is not for every target.
        case noRuleForAll
        /// It stands behind a rule for every target.
        case neverReached
        /// More rules, or more routes in one, than anybody needs.
        case tooMany
    }

    /// The rule's pattern or number; nil where it is about all of them.
    public let rule: String?
    /// What is wrong.
    public let problem: Problem

    /// The rule, the problem and what a right one looks like.
    public var description: String {
        let problem =
            switch self.problem {
            case .incomplete: "expected a pattern and its routes: *.corp.example direct"
            case .pattern:
                "its pattern can match nothing; expected *, example.com, .example.com, *.example.com, 10.0.0.0/8, with or without a port"
            case .proxy(let error): "\(error), or direct"
            case .directInChain: "direct is a way of its own, and no proxy of a chain; part ways with commas"
            case .noRuleForAll: "the last rule must be for every target: * direct, or * and a proxy"
            case .neverReached: "the rule before it is for every target, so it never counts"
            case .tooMany: "too many rules, or routes in a rule"
            }
        return self.rule.map { "\($0): \(problem)" } ?? problem
    }
}
