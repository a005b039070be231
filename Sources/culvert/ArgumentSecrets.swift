/// Passwords among the program's arguments, which every user of the machine can read (`ps`).
enum ArgumentSecrets {
    /// Overwrites them where the system shows them. What is parsed afterwards still has them.
    static func hide() {
        // A copy, made when it is first asked for.
        _ = CommandLine.arguments
        for index in 0..<Int(CommandLine.argc) {
            guard let argument = CommandLine.unsafeArgv[index] else { continue }
            var length = 0
            while argument[length] != 0 { length += 1 }
            let bytes = (0..<length).map { UInt8(bitPattern: argument[$0]) }
            for offset in self.secrets(in: bytes).joined() { argument[offset] = CChar(0x2A) }
        }
    }

    /// Where the passwords of URLs and the values of credential fields are.
    static func secrets(in argument: [UInt8]) -> [Range<Int>] {
        let passwords = self.places(of: "://", in: argument).compactMap {
            self.password(in: argument, at: $0)
        }
        let fields = ["authorization:", "cookie:"].flatMap { self.places(of: $0, in: argument) }
        return passwords + fields.map { $0..<argument.count }
    }

    /// From the first colon of the userinfo to its end, the last `@` of the authority.
    private static func password(in argument: [UInt8], at start: Int) -> Range<Int>? {
        let end = argument[start...].firstIndex { "/?# \t".utf8.contains($0) } ?? argument.count
        let authority = argument[start..<end]
        guard let at = authority.lastIndex(of: UInt8(ascii: "@")),
            let colon = authority[..<at].firstIndex(of: UInt8(ascii: ":"))
        else { return nil }
        return colon + 1..<at
    }

    /// The ends of each occurrence, in whatever case.
    private static func places(of word: String, in argument: [UInt8]) -> [Int] {
        let lower = argument.map { (0x41...0x5A).contains($0) ? $0 | 0x20 : $0 }
        return lower.ranges(of: Array(word.utf8)).map(\.upperBound)
    }
}
