import Testing
import WebSocketWire

@Suite("UTF-8, incremental")
struct UTF8ValidatorTests {
    private static func verdict(_ bytes: [UInt8]) -> Bool {
        var validator = UTF8Validator()
        return bytes.withUnsafeBytes { validator.append($0) } && validator.isComplete
    }

    private static func isValid(_ bytes: [UInt8]) -> Bool {
        String(validating: bytes, as: UTF8.self) != nil
    }

    /// How many bytes are taken before one cannot continue; nil when all can.
    private static func failureIndex(_ bytes: [UInt8]) -> Int? {
        var validator = UTF8Validator()
        return bytes.indices.first { index in
            !bytes[index...index].withUnsafeBytes { validator.append($0) }
        }
    }

    /// Whether some continuation makes the bytes valid, asked of the standard library.
    private static func canContinue(_ bytes: [UInt8]) -> Bool {
        let tails: [[UInt8]] = [
            [], [0x80], [0xBF], [0x80, 0x80], [0xBF, 0xBF], [0x80, 0x80, 0x80], [0x8F, 0xBF, 0xBF],
            [0x9F, 0x80], [0xA0, 0x80], [0x90, 0x80, 0x80],
        ]
        return tails.contains { isValid(bytes + $0) }
    }

    @Test("every sequence of one, two and three bytes is judged as the standard library judges it")
    func exhaustive() async {
        for first in UInt8.min...UInt8.max {
            // Tests with deadlines share this thread.
            await Task.yield()
            #expect(Self.verdict([first]) == Self.isValid([first]))
            for second in UInt8.min...UInt8.max
            where Self.verdict([first, second]) != Self.isValid([first, second]) {
                Issue.record("\(first) \(second)")
            }
        }
        let edges: [UInt8] = [
            0x00, 0x7F, 0x80, 0x8F, 0x90, 0x9F, 0xA0, 0xBF, 0xC0, 0xC2, 0xE0, 0xED, 0xF0, 0xF4, 0xFF,
        ]
        for first in UInt8(0xC0)...UInt8.max {
            await Task.yield()
            for second in edges {
                for third in edges {
                    for fourth in edges {
                        for bytes in [[first, second, third], [first, second, third, fourth]]
                        where Self.verdict(bytes) != Self.isValid(bytes) {
                            Issue.record("\(bytes)")
                        }
                    }
                }
            }
        }
    }

    @Test("refuses exactly at the first byte that cannot continue")
    func firstBadByte() async {
        let edges: [UInt8] = [0x00, 0x7F, 0x80, 0x8F, 0x90, 0x9F, 0xA0, 0xBF, 0xC2, 0xFF]
        for first in UInt8(0x7F)...UInt8.max {
            // Tests with deadlines share this thread.
            await Task.yield()
            for second in edges {
                for third in edges {
                    let bytes = [first, second, third]
                    let expected = bytes.indices.first { !Self.canContinue(Array(bytes[...$0])) }
                    if Self.failureIndex(bytes) != expected {
                        Issue.record("\(bytes): \(String(describing: Self.failureIndex(bytes)))")
                    }
                }
            }
        }
    }

    @Test(
        "sequences of Autobahn's group 6",
        arguments: [
            ([0xCE, 0xBA, 0xE1, 0xBD, 0xB9, 0xCF, 0x83, 0xCE, 0xBC, 0xCE, 0xB5], true),
            ([0x00], true), ([0xC2, 0x80], true), ([0xE0, 0xA0, 0x80], true),
            ([0xF0, 0x90, 0x80, 0x80], true),
            ([0x7F], true), ([0xDF, 0xBF], true), ([0xEF, 0xBF, 0xBF], true),
            ([0xF4, 0x8F, 0xBF, 0xBF], true),
            ([0xED, 0x9F, 0xBF], true), ([0xEE, 0x80, 0x80], true), ([0xEF, 0xBF, 0xBD], true),
            ([0xEF, 0xBB, 0xBF, 0x41], true),
            ([0xF4, 0x90, 0x80, 0x80], false), ([0xF8, 0x88, 0x80, 0x80, 0x80], false),
            ([0xFC, 0x84, 0x80, 0x80, 0x80, 0x80], false), ([0xF7, 0xBF, 0xBF, 0xBF], false),
            ([0x80], false), ([0xBF], false), ([0x80, 0xBF, 0x80], false),
            ([0xC0], false), ([0xC3], false), ([0xE2, 0x82], false), ([0xF0, 0x9F, 0x98], false),
            ([0xFE], false), ([0xFF], false), ([0xC0, 0xAF], false), ([0xE0, 0x80, 0xAF], false),
            ([0xF0, 0x80, 0x80, 0xAF], false), ([0xC1, 0xBF], false), ([0xE0, 0x9F, 0xBF], false),
            ([0xF0, 0x8F, 0xBF, 0xBF], false), ([0xC0, 0x80], false),
            ([0xED, 0xA0, 0x80], false), ([0xED, 0xBF, 0xBF], false),
            ([0xED, 0xA0, 0x80, 0xED, 0xB0, 0x80], false),
            ([0x68, 0xE9, 0x6C], false),
        ] as [([UInt8], Bool)])
    func table(bytes: [UInt8], isValid: Bool) {
        #expect(Self.verdict(bytes) == isValid)
        // Again in the middle of text that is long enough for the vectors, at every place in a block.
        for lead in 0..<40 {
            let padded = [UInt8](repeating: 0x61, count: lead) + bytes + [UInt8](repeating: 0x62, count: 70)
            #expect(Self.verdict(padded) == isValid)
            #expect(Self.isValid(padded) == isValid)
        }
    }

    @Test(
        "long texts, with a wrong byte at any place or none, are judged as the standard library judges them")
    func longTexts() async {
        let plain = String(repeating: "Plain for a while, and for a while longer; ", count: 4)
        let mixed = String(repeating: "Füchse über κόσμε, 日本語 いろはにほへと 🦆👋🌍; ", count: 9)
        let text = Array((plain + mixed + plain).utf8)
        for length in stride(from: 250, through: text.count, by: 1) {
            await Task.yield()
            // What is cut off inside a character is not whole.
            let cut = Array(text[..<length])
            if Self.verdict(cut) != Self.isValid(cut) { Issue.record("\(length) bytes") }
        }
        for wrong in [0x80, 0xBF, 0xC0, 0xE2, 0xED, 0xF4, 0xFF, 0x41] as [UInt8] {
            await Task.yield()
            for index in text.indices {
                var bytes = text
                bytes[index] = wrong
                if Self.verdict(bytes) != Self.isValid(bytes) { Issue.record("\(wrong) at \(index)") }
            }
        }
        // One begun before goes on.
        for (lead, rest) in [
            ([0xE6], [0x97, 0xA5]), ([0xE6, 0x97], [0xA5]), ([0xF0, 0x9F], [0xA6, 0x86]),
        ]
            as [([UInt8], [UInt8])]
        {
            var validator = UTF8Validator()
            #expect(lead.withUnsafeBytes { validator.append($0) } && !validator.isComplete)
            #expect((rest + text).withUnsafeBytes { validator.append($0) } && validator.isComplete)
        }
    }

    @Test("a text may be split anywhere, also inside a character")
    func everySplit() {
        let text = Array(
            "ASCII that fills a whole vector of 32 bytes; κόσμε, 日本語, 🦆🦆, e\u{301} and more ASCII behind it"
                .utf8)
        for cut in 0...text.count {
            var validator = UTF8Validator()
            #expect(text[..<cut].withUnsafeBytes { validator.append($0) })
            let isBoundary = cut == text.count || text[cut] & 0xC0 != 0x80
            #expect(validator.isComplete == isBoundary)
            #expect(text[cut...].withUnsafeBytes { validator.append($0) })
            #expect(validator.isComplete)
        }
    }

    @Test("random bytes near valid text agree with the standard library")
    func randomAgainstOracle() {
        var generator = SeededGenerator(seed: 6)
        let alphabet: [UInt8] = Array("ab ".utf8) + Array("é日🦆".utf8) + [0x80, 0xBF, 0xC0, 0xED, 0xF4, 0xFF]
        for _ in 0..<20_000 {
            var bytes: [UInt8] = []
            for _ in 0..<Int.random(in: 0...12, using: &generator) {
                if Bool.random(using: &generator) {
                    bytes += Array(
                        ["é", "日本", "🦆", "plain text of some length, for the vectors"].randomElement(
                            using: &generator, or: ""
                        ).utf8)
                } else if Int.random(in: 0..<4, using: &generator) == 0 {
                    bytes.append(alphabet.randomElement(using: &generator, or: 0xFF))
                }
            }
            if Self.verdict(bytes) != Self.isValid(bytes) { Issue.record("\(bytes)") }
        }
    }

    @Test("stays failed until it is reset")
    func sticky() {
        var validator = UTF8Validator()
        #expect(![0xFF as UInt8].withUnsafeBytes { validator.append($0) })
        #expect(![0x41 as UInt8].withUnsafeBytes { validator.append($0) })
        #expect(![UInt8]().withUnsafeBytes { validator.append($0) })
        #expect(!validator.isComplete)
        validator.reset()
        #expect(validator.isComplete)
        #expect([0x41 as UInt8].withUnsafeBytes { validator.append($0) })
    }
}
