import Metrics
import NIOCore
import WebSocketWire

/// The WebSockets' counters, under the names a dashboard sees. The README lists them.
final class WebSocketMetrics: Sendable {
    /// Those of the process' `MetricsSystem`.
    static let client = WebSocketMetrics(.client)
    /// Those of the process' `MetricsSystem`.
    static let server = WebSocketMetrics(.server)

    private let opened: Counter
    private let lost: Counter
    private let failed: Counter
    private let openSeconds: Timer
    private let pingSeconds: Timer
    private let messagesIn: Counter
    private let messagesOut: Counter
    private let bytesIn: Counter
    private let bytesOut: Counter

    init(_ role: WebSocketRole, factory: any MetricsFactory = MetricsSystem.factory) {
        let role = ("role", role == .client ? "client" : "server")
        let (inbound, outbound) = (("direction", "in"), ("direction", "out"))
        func counter(_ name: String, _ dimensions: (String, String)...) -> Counter {
            Counter(
                label: "culvert_websocket_\(name)_total", dimensions: [role] + dimensions, factory: factory)
        }
        self.opened = counter("opened")
        self.lost = counter("lost")
        self.failed = counter("open_failed")
        self.openSeconds = Timer(
            label: "culvert_websocket_open_seconds", dimensions: [role], factory: factory)
        self.pingSeconds = Timer(
            label: "culvert_websocket_ping_seconds", dimensions: [role], factory: factory)
        self.messagesIn = counter("messages", inbound)
        self.messagesOut = counter("messages", outbound)
        self.bytesIn = counter("bytes", inbound)
        self.bytesOut = counter("bytes", outbound)
    }

    func connectionOpened() { self.opened.increment() }

    /// It ended otherwise than by a close in good order.
    func connectionLost() { self.lost.increment() }

    func openingFailed() { self.failed.increment() }

    func opening(took nanoseconds: Int64) { self.openSeconds.recordNanoseconds(nanoseconds) }

    func pong(after nanoseconds: Int64) { self.pingSeconds.recordNanoseconds(nanoseconds) }

    /// Adds what one connection counted, and clears it.
    func add(_ traffic: inout WebSocketTraffic) {
        // A counter costs more than a number: small messages of one read are added at once.
        guard traffic != WebSocketTraffic() else { return }
        if traffic.messagesIn > 0 { self.messagesIn.increment(by: traffic.messagesIn) }
        if traffic.bytesIn > 0 { self.bytesIn.increment(by: traffic.bytesIn) }
        if traffic.messagesOut > 0 { self.messagesOut.increment(by: traffic.messagesOut) }
        if traffic.bytesOut > 0 { self.bytesOut.increment(by: traffic.bytesOut) }
        traffic = WebSocketTraffic()
    }
}

/// Messages and their bytes, inflated, that passed since they were last counted.
struct WebSocketTraffic: Equatable {
    var messagesIn = 0
    var bytesIn = 0
    var messagesOut = 0
    var bytesOut = 0

    mutating func received(_ item: MessageQueue.Item) {
        switch item {
        case .message(let message):
            self.messagesIn += 1
            self.bytesIn += message.byteCount
        case .fragment(let fragment):
            if fragment.isLast { self.messagesIn += 1 }
            self.bytesIn += fragment.bytes.readableBytes
        }
    }

    mutating func sent(_ content: SendTicket.Content) {
        switch content {
        case .message(let message): self.sent(message.byteCount)
        case .prepared(let prepared): self.sent(prepared.message.byteCount)
        case .piece(let bytes, _): self.bytesOut += bytes.readableBytes
        case .stream: break
        }
    }

    /// A whole message, or the end of one.
    mutating func sent(_ byteCount: Int) {
        self.messagesOut += 1
        self.bytesOut += byteCount
    }
}
