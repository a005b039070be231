import ProxyAuth

/// The netrc file of ftp and curl: words, of which `machine` or `default` begins an entry.
enum Netrc {
    static func credentials(forHost host: String, in text: String) -> ProxyCredentials? {
        var words = Self.words(text)[...]
        var fallback: ProxyCredentials?
        while let word = words.popFirst() {
            switch word {
            case "machine":
                let name = words.popFirst()
                let entry = Self.entry(&words)
                if name?.lowercased() == host.lowercased() { return entry }
            case "default":
                fallback = fallback ?? Self.entry(&words)
            default:
                break
            }
        }
        return fallback
    }

    private static func entry(_ words: inout ArraySlice<String>) -> ProxyCredentials? {
        var login: String?
        var password = ""
        while let word = words.first, word != "machine", word != "default" {
            words.removeFirst()
            switch word {
            case "login": login = words.popFirst()
            case "password": password = words.popFirst() ?? ""
            case "account": words = words.dropFirst()
            default: break
            }
        }
        return login.map { ProxyCredentials(user: $0, password: Secret(password)) }
    }

    /// Without comments, which go from a # that begins a word to the end of the line; quotes hold spaces.
    private static func words(_ text: String) -> [String] {
        text.split(whereSeparator: \.isNewline).flatMap { line in
            var words: [String] = []
            var rest = line.drop { $0.isWhitespace }
            while let first = rest.first, first != "#" {
                if first == "\"" {
                    words.append(Self.quoted(&rest))
                } else {
                    let word = rest.prefix { !$0.isWhitespace }
                    words.append(String(word))
                    rest = rest.dropFirst(word.count)
                }
                rest = rest.drop { $0.isWhitespace }
            }
            return words
        }
    }

    private static func quoted(_ rest: inout Substring) -> String {
        var word = ""
        rest.removeFirst()
        while let character = rest.popFirst(), character != "\"" {
            word.append(character == "\\" ? rest.popFirst() ?? character : character)
        }
        return word
    }
}
