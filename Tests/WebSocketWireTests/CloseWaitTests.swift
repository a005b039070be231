import Testing
import WebSocketWire

@Suite("How long a close is waited for")
struct CloseWaitTests {
    @Test(
        "a timeout counts only while nothing moves",
        arguments: [
            // What had not arrived at the start, then at each timeout.
            ([0, 0], [CloseWait.Action.cut]),
            ([1000, 1000], [.cut]),
            ([1000, 999, 50, 0, 0], [.waitAgain, .waitAgain, .waitAgain, .cut]),
            ([1000, 500, 500], [.waitAgain, .cut]),
            // Pongs that were sent meanwhile: nothing shows that bytes move.
            ([1000, 500, 700], [.waitAgain, .cut]),
        ])
    func progress(unsentBytes: [Int], actions: [CloseWait.Action]) throws {
        var wait = CloseWait(unsentBytes: try #require(unsentBytes.first))
        var taken: [CloseWait.Action] = []
        for bytes in unsentBytes.dropFirst() { taken.append(wait.timerFired(unsentBytes: bytes)) }
        #expect(taken == actions)
    }
}
