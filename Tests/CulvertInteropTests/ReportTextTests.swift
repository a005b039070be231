import Testing

@testable import CulvertInterop

@Suite("text of reports")
struct ReportTextTests {
    static let shown: [(String, String)] = [
        ("plain, é and 日本", "plain, é and 日本"),
        ("a\nb\tc\rd", "a\\nb\\tc\\rd"),
        ("a\r\nb", "a\\r\\nb"),
        ("\u{1B}[31m", "\\u{1b}[31m"),
        ("\u{9B}31m\u{7F}\u{0}", "\\u{9b}31m\\u{7f}\\u{0}"),
        ("a\u{202E}b\u{2066}c\u{200B}d\u{FEFF}", "a\\u{202e}b\\u{2066}c\\u{200b}d\\u{feff}"),
        ("\u{2028}\u{FFFE}\u{1FFFF}", "\\u{2028}\\u{fffe}\\u{1ffff}"),
    ]

    @Test("controls, direction marks and invisibles are escaped", arguments: shown)
    func visible(text: String, shown: String) {
        #expect(text.visible() == shown)
    }

    @Test("without UTF-8 the rest is escaped too")
    func onlyASCII() {
        #expect("é – 日".visible(onlyASCII: true) == "\\u{e9} \\u{2013} \\u{65e5}")
    }

    static let durations: [(Duration, String)] = [
        (.zero, "0 ms"), (.microseconds(12_400), "12 ms"), (.milliseconds(99), "99 ms"),
        (.milliseconds(420), "0.4 s"), (.milliseconds(9940), "9.9 s"), (.milliseconds(9960), "10 s"),
        (.milliseconds(73_042), "73 s"), (.seconds(252), "4 min 12 s"), (.milliseconds(119_700), "2 min 0 s"),
    ]

    @Test("durations read well at every size", arguments: durations)
    func duration(duration: Duration, text: String) {
        #expect(duration.text == text)
    }

    @Test("milliseconds keep their fraction")
    func milliseconds() {
        #expect(Duration.microseconds(1_234_567).milliseconds == 1234.567)
        #expect(Duration.milliseconds(73_042).seconds == "73.042")
    }

    @Test("wide characters take two columns, marks on others none")
    func columnCount() {
        #expect("abc".columnCount == 3)
        #expect("日本".columnCount == 4)
        #expect("e\u{301}".columnCount == 1)
        #expect("✓ – ✗ …".columnCount == 7)
    }

    static let lines: [(String, Int, [String])] = [
        ("", 10, []), ("one two", 10, ["one two"]), ("one two", 5, ["one", "two"]),
        ("close-4999", 6, ["close-", "4999"]), ("abcdefgh", 3, ["abc", "def", "gh"]),
        ("日本語", 2, ["日", "本", "語"]), ("日本", 0, ["日", "本"]), ("a    b", 3, ["a", "b"]),
    ]

    @Test("lines are broken at words and never too long", arguments: lines)
    func wrapped(text: String, width: Int, lines: [String]) {
        #expect(text.wrapped(to: width) == lines)
    }

    @Test("a text that is cut fits, with its ellipsis")
    func cut() {
        #expect("abcdef".cut(to: 6, ellipsis: "…") == "abcdef")
        #expect("abcdefg".cut(to: 6, ellipsis: "…") == "abcde…")
        #expect("日本語".cut(to: 4, ellipsis: "…") == "日…")
        #expect("abcdefg".cut(to: 6, ellipsis: "...") == "abc...")
        #expect("abc".cut(to: 1, ellipsis: "...") == "a")
    }
}
