import Testing
import WebSocketWire

@Suite("When to ping and when to give up")
struct KeepaliveTests {
    private enum Event {
        case heard(at: Int)
        case timer(at: Int, Keepalive.Action)
    }

    @Test("pings after the interval, gives up after the timeout, and counts everything heard as life")
    func table() {
        let seconds = { (count: Int) in Duration.seconds(count) }
        let table: [[Event]] = [
            // Silence from the start.
            [
                .timer(at: 20, .ping(lookAgainAt: seconds(25))), .timer(at: 24, .wait(until: seconds(25))),
                .timer(at: 25, .giveUp),
            ],
            // Heard before the interval is over: the timer moves on, and no ping goes out.
            [
                .heard(at: 15), .timer(at: 20, .wait(until: seconds(35))),
                .timer(at: 35, .ping(lookAgainAt: seconds(40))),
            ],
            // Anything heard answers the ping.
            [
                .timer(at: 20, .ping(lookAgainAt: seconds(25))), .heard(at: 21),
                .timer(at: 25, .wait(until: seconds(41))), .timer(at: 41, .ping(lookAgainAt: seconds(46))),
                .timer(at: 46, .giveUp),
            ],
            // A timer that fires late gives up all the same.
            [.timer(at: 90, .ping(lookAgainAt: seconds(95))), .timer(at: 300, .giveUp)],
        ]
        for events in table {
            var keepalive = Keepalive(interval: .seconds(20), timeout: .seconds(5), now: .zero)
            #expect(keepalive.firstLook == .seconds(20))
            for event in events {
                switch event {
                case .heard(let instant): keepalive.heard(at: .seconds(instant))
                case .timer(let instant, let action):
                    #expect(keepalive.timerFired(at: .seconds(instant)) == action)
                }
            }
        }
    }
}
