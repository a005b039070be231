import HTTPWire

/// One challenge of a `Proxy-Authenticate` field (RFC 9110 §11.3).
public struct Challenge: Sendable, Hashable, CustomStringConvertible {
    /// The scheme in lower case: `basic`, `digest`, `ntlm`, `negotiate`.
    public let scheme: String
    /// The token68 form, as NTLM and Negotiate send it.
    public let token: String?
    /// Parameters with lower-case names and unquoted values, in their order.
    public let parameters: [Parameter]

    /// One `name=value` of a challenge.
    public struct Parameter: Sendable, Hashable {
        /// The name in lower case.
        public let name: String
        /// The value without its quotes.
        public let value: String
    }

    /// The value of a parameter, by its lower-case name.
    public func parameter(_ name: String) -> String? {
        self.parameters.first { $0.name == name }?.value
    }

    /// The scheme and the realm: what a message should say of a challenge.
    public var description: String {
        guard let realm = self.parameter("realm") else { return self.scheme }
        return "\(self.scheme) realm=\"\(realm)\""
    }

    /// All challenges of a message: proxies send several on several lines, or joined by commas on one.
    ///
    /// Lenient as real proxies need it: what is no challenge is skipped, never an error; a broken parameter
    /// ends its challenge.
    package static func parse(_ fieldValues: some Sequence<String>) -> [Challenge] {
        fieldValues.flatMap { value in
            var parser = ChallengeParser(value)
            return parser.challenges()
        }
    }
}

/// Reads one field value. The comma is both the separator of challenges and of parameters, so a token decides
/// by what follows it: `=` makes it a parameter, anything else the scheme of the next challenge.
private struct ChallengeParser {
    private let text: [UInt8]
    private var position = 0

    init(_ value: String) {
        self.text = Array(value.utf8)
    }

    mutating func challenges() -> [Challenge] {
        var found: [Challenge] = []
        while self.position < self.text.count {
            self.skip { $0 == 0x20 || $0 == 0x09 || $0 == UInt8(ascii: ",") }
            let scheme = self.take(while: ASCII.isTokenCharacter)
            guard !scheme.isEmpty else {
                self.position += 1
                continue
            }
            self.skipSpaces()
            found.append(self.challenge(scheme: scheme.lowercased()))
        }
        return found
    }

    private mutating func challenge(scheme: String) -> Challenge {
        if let token = self.token68() {
            return Challenge(scheme: scheme, token: token, parameters: [])
        }
        var parameters: [Challenge.Parameter] = []
        while true {
            let start = self.position
            self.skip { $0 == 0x20 || $0 == 0x09 || $0 == UInt8(ascii: ",") }
            guard let parameter = self.parameter() else {
                self.position = start
                return Challenge(scheme: scheme, token: nil, parameters: parameters)
            }
            parameters.append(parameter)
        }
    }

    /// A token68 fills the challenge: it ends at a comma or at the end.
    private mutating func token68() -> String? {
        let start = self.position
        var token = self.take { ASCII.isTokenCharacter($0) || $0 == UInt8(ascii: "/") }
        token += self.take { $0 == UInt8(ascii: "=") }
        self.skipSpaces()
        let ends = self.position == self.text.count || self.text[self.position] == UInt8(ascii: ",")
        guard ends, !token.isEmpty else {
            self.position = start
            return nil
        }
        return token
    }

    private mutating func parameter() -> Challenge.Parameter? {
        let name = self.take(while: ASCII.isTokenCharacter)
        self.skipSpaces()
        guard !name.isEmpty, self.takeIf(UInt8(ascii: "=")) else { return nil }
        self.skipSpaces()
        let value =
            self.takeIf(UInt8(ascii: "\"")) ? self.quotedRest() : self.take(while: ASCII.isTokenCharacter)
        return Challenge.Parameter(name: name.lowercased(), value: value)
    }

    private mutating func quotedRest() -> String {
        var bytes: [UInt8] = []
        while self.position < self.text.count {
            let byte = self.text[self.position]
            self.position += 1
            if byte == UInt8(ascii: "\"") { break }
            if byte == UInt8(ascii: "\\"), self.position < self.text.count {
                bytes.append(self.text[self.position])
                self.position += 1
            } else {
                bytes.append(byte)
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    private mutating func skip(while condition: (UInt8) -> Bool) {
        while self.position < self.text.count, condition(self.text[self.position]) { self.position += 1 }
    }

    private mutating func skipSpaces() {
        self.skip(while: ASCII.isBlank)
    }

    private mutating func take(while condition: (UInt8) -> Bool) -> String {
        let start = self.position
        self.skip(while: condition)
        return String(decoding: self.text[start..<self.position], as: UTF8.self)
    }

    private mutating func takeIf(_ byte: UInt8) -> Bool {
        guard self.position < self.text.count, self.text[self.position] == byte else { return false }
        self.position += 1
        return true
    }
}
