/// The server's attributes, which the answer repeats and adds to (MS-NLMP §2.2.2.1).
struct NTLMTargetInfo: Sendable, Hashable {
    enum Identifier: UInt16 {
        case end = 0
        case computerName = 1
        case domainName = 2
        case flags = 6
        case timestamp = 7
        case targetName = 9
        case channelBindings = 10
    }

    /// In the flags attribute: a message integrity code is there.
    static let hasMIC: UInt32 = 2

    private var pairs: [(identifier: UInt16, value: [UInt8])] = []

    init() {}

    /// nil when a pair goes over the end, or nothing ends the list.
    init?(_ bytes: [UInt8]) {
        var offset = 0
        while true {
            guard let identifier = LittleEndian.read(UInt16.self, from: bytes, at: offset),
                let length = LittleEndian.read(UInt16.self, from: bytes, at: offset + 2)
            else { return nil }
            if identifier == Identifier.end.rawValue { return }
            let start = offset + 4
            let end = start + Int(length)
            guard end <= bytes.count else { return nil }
            self.pairs.append((identifier, Array(bytes[start..<end])))
            offset = end
        }
    }

    subscript(_ identifier: Identifier) -> [UInt8]? {
        get { self.pairs.first { $0.identifier == identifier.rawValue }?.value }
        set {
            self.pairs.removeAll { $0.identifier == identifier.rawValue }
            if let newValue { self.pairs.append((identifier.rawValue, newValue)) }
        }
    }

    /// The time of the server, in its own format.
    var timestamp: [UInt8]? {
        self[.timestamp].flatMap { $0.count == 8 ? $0 : nil }
    }

    /// With its end.
    var bytes: [UInt8] {
        let list = self.pairs.flatMap { pair in
            LittleEndian.bytes(pair.identifier)
                + LittleEndian.bytes(UInt16(truncatingIfNeeded: pair.value.count))
                + pair.value
        }
        return list + [0, 0, 0, 0]
    }

    static func == (lhs: Self, rhs: Self) -> Bool { lhs.bytes == rhs.bytes }

    func hash(into hasher: inout Hasher) { hasher.combine(self.bytes) }
}
