import HTTPWire
import NIOCore

/// A connection to a server that can wait for its next request.
protocol PooledConnection: AnyObject {
    var key: OriginKey { get }
    /// Of whoever was dialled; nil for none of IP.
    var address: IPAddress? { get }
    var port: UInt16 { get }
    /// Nothing is known of its end.
    var isUsable: Bool { get }
    /// Closes by itself after this time; called by the pool.
    func waitInPool(_ time: TimeAmount)
    func close()
}

/// Connections to servers that wait for their next request, those of one event loop, or of one thread in front.
final class OriginPool<Connection: PooledConnection> {
    private let options: ForwardingOptions
    private var idle: [OriginKey: [Connection]] = [:]
    private var count = 0

    init(_ options: ForwardingOptions) {
        self.options = options
    }

    /// One that may be used: its address is judged anew, as if it were dialled now.
    func take(_ key: OriginKey, under judgement: Judgement) -> Connection? {
        guard let connection = self.take(key) else { return nil }
        if judgement.admits(connection) { return connection }
        connection.close()
        return nil
    }

    /// The one used last, which is the most likely to be alive.
    private func take(_ key: OriginKey) -> Connection? {
        guard let index = self.idle.index(forKey: key) else { return nil }
        var usable: Connection?
        while usable == nil, let connection = self.idle.values[index].popLast() {
            self.count -= 1
            if connection.isUsable { usable = connection }
        }
        if self.idle.values[index].isEmpty { self.idle.remove(at: index) }
        return usable
    }

    /// Keeps a connection, in place of the oldest of its kind where there are enough.
    func put(_ connection: Connection) {
        guard self.count < self.options.maxIdleConnections, self.options.maxIdleConnectionsPerOrigin > 0
        else {
            return connection.close()
        }
        let oldest = Self.add(
            connection, to: &self.idle[connection.key, default: []],
            most: self.options.maxIdleConnectionsPerOrigin)
        connection.waitInPool(TimeAmount(self.options.originIdleTimeout))
        // Behind the change: it may close at once, and then it comes to `remove`.
        if let oldest { oldest.close() } else { self.count += 1 }
    }

    /// - Returns: the oldest, where there were enough.
    private static func add(
        _ connection: Connection, to connections: inout [Connection], most: Int
    ) -> Connection? {
        let oldest = connections.count < most ? nil : connections.removeFirst()
        connections.append(connection)
        return oldest
    }

    /// It closed while it waited.
    func remove(_ connection: Connection) {
        guard let index = self.idle[connection.key]?.firstIndex(where: { $0 === connection }) else { return }
        self.idle[connection.key]?.remove(at: index)
        self.count -= 1
        if self.idle[connection.key]?.isEmpty == true { self.idle[connection.key] = nil }
    }
}
