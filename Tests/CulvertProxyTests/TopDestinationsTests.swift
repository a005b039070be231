import CulvertProxy
import Testing

@Suite("The table of top destinations")
struct TopDestinationsTests {
    @Test("bytes first, then requests, then the name")
    func order() {
        var table = TopDestinations(capacity: 10)
        table.add("a:1", bytes: 5)
        table.add("b:1", bytes: 7)
        table.add("d:1", bytes: 5)
        table.add("c:1", bytes: 5)
        table.add("c:1", bytes: 0)
        #expect(table.heaviest(3).map(\.target) == ["b:1", "c:1", "a:1"])
        #expect(table.heaviest(10).count == 4)
    }

    @Test("a flood of new names does not grow the table, nor push a heavy one out")
    func bounded() {
        var table = TopDestinations(capacity: 8)
        table.add("heavy:443", bytes: 1_000_000)
        for number in 0..<10_000 { table.add("flood-\(number):443", bytes: 10) }
        let heaviest = table.heaviest(100)
        // Each fourth new name finds the table full and halves it; the last one did.
        #expect(heaviest.count == 5)
        #expect(heaviest.first == .init(target: "heavy:443", requests: 1, bytes: 1_000_000))
    }

    @Test("one that comes late and is heavy is found among many light ones")
    func late() {
        var table = TopDestinations(capacity: 8)
        for number in 0..<100 { table.add("flood-\(number):443", bytes: 10) }
        for _ in 0..<100 {
            table.add("late:443", bytes: 100)
            for number in 0..<4 { table.add("flood-\(number):443", bytes: 1) }
        }
        #expect(table.heaviest(1).first?.target == "late:443")
        // What it had, and at most what the lightest had before it.
        #expect((10_000..<12_000).contains(table.heaviest(1).first?.bytes ?? 0))
    }

    @Test(
        "of a target only host and port are kept",
        arguments: [
            ("example.com:443", "example.com:443"), ("http://example.com/a?token=x", "example.com"),
            ("http://user:secret@example.com:81?q", "example.com:81"), ("https://[::1]:1/@", "[::1]:1"),
            ("", ""), ("http://", ""),
        ])
    func names(target: String, name: String) {
        #expect(TopDestinations.name(of: target) == name)
    }

    @Test("sums do not overflow")
    func overflow() {
        var table = TopDestinations(capacity: 1)
        table.add("a:1", bytes: .max)
        table.add("a:1", bytes: 2)
        table.add("b:1", requests: .max, bytes: 1)
        #expect(table.heaviest(1).first?.target == "b:1")
    }
}
