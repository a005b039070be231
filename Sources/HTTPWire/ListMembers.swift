/// The members of a comma-separated list without the blanks around them, empty ones included (RFC 9110 §5.6.1). For
/// lists of tokens and numbers: a quoted comma would split.
struct ListMembers: Sequence, IteratorProtocol {
    private var rest: Slice<UnsafeRawBufferPointer>?

    init(_ bytes: UnsafeRawBufferPointer) {
        rest = bytes[...]
    }

    mutating func next() -> Slice<UnsafeRawBufferPointer>? {
        guard let rest else { return nil }
        guard let comma = rest.firstIndex(of: ASCII.comma) else {
            self.rest = nil
            return ASCII.trimmed(rest)
        }
        self.rest = rest[(comma + 1)...]
        return ASCII.trimmed(rest[..<comma])
    }
}
