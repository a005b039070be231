/// An IPv4 or IPv6 address, parsed strictly.
///
/// The forms that `inet_aton` also takes (`0177.0.0.1`, `0x7f.1`, `127.1`, `2130706433`) are refused: two
/// parsers that disagree about them are how a rule on addresses is walked around.
public enum IPAddress: Hashable, Sendable, CustomStringConvertible {
    /// An IPv4 address in host byte order: 127.0.0.1 is `0x7f00_0001`.
    case v4(UInt32)
    /// An IPv6 address: its first and last eight octets, each as a big-endian number.
    case v6(high: UInt64, low: UInt64)

    /// Parses a dotted quad (four decimal numbers, no leading zeros) or an IPv6 address (RFC 4291 §2.2,
    /// embedded IPv4 included) without brackets.
    ///
    /// Zone ids (`fe80::1%eth0`) are refused: they mean something on one machine only.
    public init?(_ text: some StringProtocol) {
        let parsed = text.utf8.withContiguousStorageIfAvailable { Self.parse($0) }
        guard let address = parsed ?? Array(text.utf8).withUnsafeBufferPointer({ Self.parse($0) }) else {
            return nil
        }
        self = address
    }

    /// 127.0.0.1.
    package static let loopback = IPAddress.v4(0x7F00_0001)

    /// The IPv4 address of a v4-mapped one, to which the kernel connects in its place; otherwise itself.
    package var unmapped: IPAddress {
        guard case .v6(0, let low) = self, low >> 32 == 0xFFFF else { return self }
        return .v4(UInt32(truncatingIfNeeded: low))
    }

    /// The address in network order: 4 or 16 octets.
    package var bytes: [UInt8] {
        switch self {
        case .v4(let number):
            stride(from: 24, through: 0, by: -8).map { UInt8(truncatingIfNeeded: number >> UInt32($0)) }
        case .v6(let high, let low):
            [high, low].flatMap { half in
                stride(from: 56, through: 0, by: -8).map { UInt8(truncatingIfNeeded: half >> UInt64($0)) }
            }
        }
    }

    /// The address in these octets in network order; `nil` unless there are 4 or 16.
    ///
    /// Inlinable: who accepts connections asks for each of them.
    @inlinable
    package init?(bytes: some Collection<UInt8>) {
        switch bytes.count {
        case 4:
            self = .v4(bytes.reduce(0) { $0 << 8 | UInt32($1) })
        case 16:
            self = .v6(
                high: bytes.prefix(8).reduce(0) { $0 << 8 | UInt64($1) },
                low: bytes.dropFirst(8).reduce(0) { $0 << 8 | UInt64($1) })
        default:
            return nil
        }
    }

    /// The canonical text (RFC 5952), without brackets.
    public var description: String {
        switch self {
        case .v4(let number):
            String(unsafeUninitializedCapacity: 15) { Self.write(number, into: $0) }
        case .v6(let high, let low):
            Self.canonicalV6(high: high, low: low)
        }
    }
}

extension IPAddress {
    /// The address and a port as a URI has them, `192.0.2.1:443` or `[2001:db8::1]:443`.
    ///
    /// Written digit by digit: every line of the access log has two of them.
    package func description(port: Int) -> String {
        guard case .v4(let number) = self, (0...65535).contains(port) else {
            return if case .v6 = self { "[\(self)]:\(port)" } else { "\(self):\(port)" }
        }
        // No more than is needed: up to 15 octets are kept without an allocation.
        let count = Self.length(number) + 1 + Self.digits(UInt32(port))
        return String(unsafeUninitializedCapacity: count) { room in
            let end = Self.write(number, into: room)
            room[end] = ASCII.colon
            return Self.write(decimal: UInt32(port), into: room, at: end + 1)
        }
    }

    /// The dotted quad; at most 15 octets.
    ///
    /// - Returns: the end of what was written.
    private static func write(_ number: UInt32, into room: UnsafeMutableBufferPointer<UInt8>) -> Int {
        var end = 0
        for place in 0..<4 {
            if place > 0 {
                room[end] = UInt8(ascii: ".")
                end += 1
            }
            end = write(decimal: number >> UInt32(24 - 8 * place) & 0xff, into: room, at: end)
        }
        return end
    }

    private static func write(
        decimal number: UInt32, into room: UnsafeMutableBufferPointer<UInt8>, at start: Int
    ) -> Int {
        let count = Self.digits(number)
        var rest = number
        for place in 1...count {
            room[start + count - place] = UInt8(ascii: "0") + UInt8(rest % 10)
            rest /= 10
        }
        return start + count
    }

    /// How many octets the dotted quad has.
    private static func length(_ number: UInt32) -> Int {
        (0..<4).reduce(3) { $0 + Self.digits(number >> UInt32(24 - 8 * $1) & 0xff) }
    }

    private static func digits(_ number: UInt32) -> Int {
        var (count, rest) = (1, number)
        while rest >= 10 {
            rest /= 10
            count += 1
        }
        return count
    }

    private static func parse(_ text: UnsafeBufferPointer<UInt8>) -> IPAddress? {
        // The longest form.
        guard text.count <= 45 else { return nil }
        guard text.contains(ASCII.colon) else { return self.parseV4(text[...]).map(IPAddress.v4) }
        return self.parseV6(text[...]).map(IPAddress.init(words:))
    }

    private typealias Text = Slice<UnsafeBufferPointer<UInt8>>

    private init(words: [UInt16]) {
        self = .v6(
            high: words.prefix(4).reduce(0) { $0 << 16 | UInt64($1) },
            low: words.dropFirst(4).reduce(0) { $0 << 16 | UInt64($1) })
    }

    private static func parseV4(_ text: Text) -> UInt32? {
        var (result, rest) = (UInt32(0), text)
        for place in 0..<4 {
            if place > 0 { guard rest.popFirst() == UInt8(ascii: ".") else { return nil } }
            let part = rest.prefix(while: ASCII.isDigit)
            guard (1...3).contains(part.count), part.count == 1 || part.first != UInt8(ascii: "0") else {
                return nil
            }
            let number = part.reduce(UInt32(0)) { $0 * 10 + UInt32($1 - UInt8(ascii: "0")) }
            guard number <= 255 else { return nil }
            result = result << 8 | number
            rest = rest[part.endIndex...]
        }
        return rest.isEmpty ? result : nil
    }

    /// Eight words, or `nil`. `::` stands for one or more zero words and occurs at most once.
    private static func parseV6(_ text: Text) -> [UInt16]? {
        let gap = text.indices.dropLast().first {
            text[$0] == ASCII.colon && text[$0 + 1] == ASCII.colon
        }
        guard let gap else {
            guard let words = parseWords(text), words.count == 8 else { return nil }
            return words
        }
        let before = text[text.startIndex..<gap]
        let after = text[(gap + 2)...]
        guard
            let head = before.isEmpty ? [] : parseWords(before, mayEndInV4: false),
            let tail = after.isEmpty ? [] : parseWords(after),
            head.count + tail.count <= 7
        else { return nil }
        return head + Array(repeating: 0, count: 8 - head.count - tail.count) + tail
    }

    private static func parseWords(_ text: Text, mayEndInV4: Bool = true) -> [UInt16]? {
        var words: [UInt16] = []
        let parts = text.split(separator: ASCII.colon, omittingEmptySubsequences: false)
        for (index, part) in parts.enumerated() {
            if part.contains(UInt8(ascii: ".")) {
                guard mayEndInV4, index == parts.count - 1, let v4 = parseV4(part) else { return nil }
                words += [UInt16(truncatingIfNeeded: v4 >> 16), UInt16(truncatingIfNeeded: v4)]
                continue
            }
            guard (1...4).contains(part.count) else { return nil }
            var word: UInt16 = 0
            for byte in part {
                guard let digit = ASCII.hexValue(byte) else { return nil }
                word = word << 4 | UInt16(digit)
            }
            words.append(word)
        }
        return words
    }

    private static func canonicalV6(high: UInt64, low: UInt64) -> String {
        let words = [high, low].flatMap { half in
            stride(from: 48, through: 0, by: -16).map { UInt16(truncatingIfNeeded: half >> UInt64($0)) }
        }
        // RFC 5952 §5: the v4-mapped prefix is known to hold an IPv4 address, so its text shows one.
        if high == 0, low >> 32 == 0xffff {
            return "::ffff:" + IPAddress.v4(UInt32(truncatingIfNeeded: low)).description
        }
        let gap = longestZeroRun(words)
        func join(_ words: ArraySlice<UInt16>) -> String {
            words.map { String($0, radix: 16) }.joined(separator: ":")
        }
        guard let gap else { return join(words[...]) }
        return join(words[..<gap.lowerBound]) + "::" + join(words[gap.upperBound...])
    }

    /// The first of the longest runs of at least two zero words (RFC 5952 §4.2).
    private static func longestZeroRun(_ words: [UInt16]) -> Range<Int>? {
        var best: Range<Int>?
        var start = 0
        for index in 0...words.count where index == words.count || words[index] != 0 {
            if index - start >= 2, index - start > (best?.count ?? 0) { best = start..<index }
            start = index + 1
        }
        return best
    }
}

extension IPAddress {
    /// 127.0.0.0/8 or `::1`: only this host.
    package var isLoopback: Bool {
        switch self {
        case .v4(let bits): bits >> 24 == 127
        case .v6(let high, let low): high == 0 && low == 1
        }
    }

    /// `fe80::/10`: says where to only together with an interface (RFC 4007, section 6).
    package var needsZone: Bool {
        switch self {
        case .v4: false
        case .v6(let high, _): high >> 54 == 0xfe80 >> 6
        }
    }

    /// `0.0.0.0` or `::`: every address of this host to listen on, this host itself to connect to.
    package var isUnspecified: Bool {
        switch self {
        case .v4(let bits): bits == 0
        case .v6(let high, let low): high == 0 && low == 0
        }
    }
}
