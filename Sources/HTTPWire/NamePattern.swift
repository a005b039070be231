/// A pattern for the names of targets, compared with the normalised name: lower case, A-labels, no trailing dot.
///
/// - `example.com`: this name alone;
/// - `.example.com`: it and every name below it;
/// - `*.example.com`, `api-*.example.com`: a star stands for one or more of any characters, dots included.
public struct NamePattern: Sendable, Hashable, CustomStringConvertible {
    private enum Form: Sendable, Hashable {
        case exact(String)
        case suffix(String)
        case glob([[UInt8]])
    }

    /// The pattern as it is compared.
    public let description: String
    private let form: Form

    /// Reads a pattern; nil for an address (which rules match by network) and for what no name can be.
    public init?(_ text: some StringProtocol) {
        if text.contains("*") {
            let pattern = text.lowercased()
            let isOfNames: (UInt8) -> Bool = {
                ASCII.isLetter($0) || ASCII.isDigit($0) || "-_.*".utf8.contains($0)
            }
            guard pattern.utf8.allSatisfy(isOfNames), pattern.utf8.count <= 253, !pattern.contains("..")
            else {
                return nil
            }
            self.description = pattern
            self.form = .glob(
                pattern.utf8.split(separator: UInt8(ascii: "*"), omittingEmptySubsequences: false).map(
                    Array.init))
            return
        }
        let isSuffix = text.hasPrefix(".")
        let authority = try? Authority(host: String(isSuffix ? text.dropFirst() : text[...]), port: 1)
        guard case .name(let name) = authority?.host else { return nil }
        self.description = isSuffix ? "." + name : name
        self.form = isSuffix ? .suffix(name) : .exact(name)
    }

    /// Whether the name, normalised as ``Authority`` holds it, fits.
    public func matches(_ name: String) -> Bool {
        switch self.form {
        case .exact(let exact): name == exact
        case .suffix(let suffix): name == suffix || name.hasSuffix("." + suffix)
        case .glob(let parts): Self.matches(parts, Array(name.utf8))
        }
    }

    /// Each part at its first place behind the one before and a byte for the star, the last one at the end: no
    /// backtracking.
    private static func matches(_ parts: [[UInt8]], _ name: [UInt8]) -> Bool {
        guard let first = parts.first, let last = parts.last, name.starts(with: first) else { return false }
        var position = first.count
        for part in parts.dropFirst().dropLast() {
            guard let found = Self.index(of: part, in: name, from: position + 1) else { return false }
            position = found + part.count
        }
        return name.count - last.count > position && name.suffix(last.count).elementsEqual(last)
    }

    private static func index(of part: [UInt8], in name: [UInt8], from start: Int) -> Int? {
        guard start + part.count <= name.count else { return nil }
        return (start...(name.count - part.count)).first { name[$0..<($0 + part.count)].elementsEqual(part) }
    }
}
