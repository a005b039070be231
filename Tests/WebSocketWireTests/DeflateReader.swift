/// Reads DEFLATE (RFC 1951) to find how far it refers back; slow, and only for what zlib's inflate does not tell.
struct DeflateReader {
    private let bytes: [UInt8]
    private var position = 0
    private var longest = 0

    /// The longest distance in a run of blocks that ends at the end of a byte; nil when it is no DEFLATE.
    static func longestDistance(_ bytes: [UInt8]) -> Int? {
        var reader = DeflateReader(bytes: bytes)
        while reader.position < bytes.count * 8 {
            guard reader.readBlock() != nil else { return nil }
        }
        return reader.longest
    }

    private init(bytes: [UInt8]) {
        self.bytes = bytes
    }

    private mutating func bits(_ count: Int) -> Int? {
        guard position + count <= bytes.count * 8 else { return nil }
        var value = 0
        for index in 0..<count {
            let bit = Int(bytes[(position + index) / 8] >> UInt8((position + index) % 8)) & 1
            value |= bit << index
        }
        position += count
        return value
    }

    private mutating func readBlock() -> Void? {
        guard bits(1) != nil, let type = bits(2) else { return nil }
        switch type {
        case 0:
            position = (position + 7) / 8 * 8
            guard let length = bits(16), bits(16) == length ^ 0xFFFF else { return nil }
            position += length * 8
            return ()
        case 1:
            let lengths = (0..<288).map { $0 < 144 ? 8 : $0 < 256 ? 9 : $0 < 280 ? 7 : 8 }
            return readCodes(Huffman(lengths), Huffman([Int](repeating: 5, count: 30)))
        case 2:
            return readDynamic()
        default:
            return nil
        }
    }

    private mutating func readDynamic() -> Void? {
        guard let literals = bits(5), let distances = bits(5), let codes = bits(4) else { return nil }
        let order = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15]
        var codeLengths = [Int](repeating: 0, count: 19)
        for index in 0..<(codes + 4) {
            guard let length = bits(3) else { return nil }
            codeLengths[order[index]] = length
        }
        let code = Huffman(codeLengths)
        var lengths: [Int] = []
        while lengths.count < literals + 257 + distances + 1 {
            guard let symbol = read(code) else { return nil }
            switch symbol {
            case 16:
                guard let last = lengths.last, let more = bits(2) else { return nil }
                lengths += [Int](repeating: last, count: more + 3)
            case 17, 18:
                guard let more = bits(symbol == 17 ? 3 : 7) else { return nil }
                lengths += [Int](repeating: 0, count: more + (symbol == 17 ? 3 : 11))
            default: lengths.append(symbol)
            }
        }
        return readCodes(
            Huffman(Array(lengths.prefix(literals + 257))), Huffman(Array(lengths.dropFirst(literals + 257))))
    }

    private mutating func readCodes(_ literals: Huffman, _ distances: Huffman) -> Void? {
        while let symbol = read(literals) {
            if symbol < 256 { continue }
            if symbol == 256 { return () }
            let extra = symbol < 265 || symbol == 285 ? 0 : (symbol - 261) / 4
            guard bits(extra) != nil, let code = read(distances) else { return nil }
            let more = code < 4 ? 0 : code / 2 - 1
            guard let rest = bits(more) else { return nil }
            let base = code < 4 ? code + 1 : ((2 + code % 2) << more) + 1
            longest = max(longest, base + rest)
        }
        return nil
    }

    private mutating func read(_ code: Huffman) -> Int? {
        var value = 0
        for length in 1...15 {
            guard let bit = bits(1) else { return nil }
            value = value << 1 | bit
            if let symbol = code.symbols[length << 16 | value] { return symbol }
        }
        return nil
    }

    /// A canonical code by its lengths (§3.2.2).
    private struct Huffman {
        /// By length, shifted over the code.
        private(set) var symbols: [Int: Int] = [:]

        init(_ lengths: [Int]) {
            var code = 0
            for length in 1...15 {
                code <<= 1
                for (symbol, own) in lengths.enumerated() where own == length {
                    symbols[length << 16 | code] = symbol
                    code += 1
                }
            }
        }
    }
}
