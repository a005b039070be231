import CulvertInterop
import TestSupport

/// A port on loopback that takes no packets: its queue of connections is full, and what comes then is dropped without an
/// answer, as a firewall does it.
struct BlackHole {
    private let listener: BlockingSocket
    private let waiting: BlockingSocket

    var port: Int { self.listener.port }
    var url: String { "http://127.0.0.1:\(self.port)" }

    init() throws {
        self.listener = try BlockingSocket.listening(backlog: 0)
        self.waiting = try BlockingSocket.connected(toPort: self.listener.port)
    }
}
