import NIOCore

/// Connections to servers that wait for their next request, those of one event loop.
final class OriginPool {
    private let options: ForwardingOptions
    private var idle: [OriginKey: [OriginConnection]] = [:]
    private var count = 0

    init(_ options: ForwardingOptions) {
        self.options = options
    }

    /// The one used last, which is the most likely to be alive.
    func take(_ key: OriginKey) -> OriginConnection? {
        while let connection = self.idle[key]?.popLast() {
            self.count -= 1
            if self.idle[key]?.isEmpty == true { self.idle[key] = nil }
            if connection.isUsable { return connection }
        }
        return nil
    }

    /// Keeps a connection, in place of the oldest of its kind where there are enough.
    func put(_ connection: OriginConnection) {
        guard self.count < self.options.maxIdleConnections, self.options.maxIdleConnectionsPerOrigin > 0
        else {
            return connection.close()
        }
        var connections = self.idle.removeValue(forKey: connection.key) ?? []
        if connections.count >= self.options.maxIdleConnectionsPerOrigin {
            connections.removeFirst().close()
            self.count -= 1
        }
        connections.append(connection)
        self.idle[connection.key] = connections
        self.count += 1
        connection.waitInPool(TimeAmount(self.options.originIdleTimeout))
    }

    /// It closed while it waited.
    func remove(_ connection: OriginConnection) {
        guard let index = self.idle[connection.key]?.firstIndex(where: { $0 === connection }) else { return }
        self.idle[connection.key]?.remove(at: index)
        self.count -= 1
        if self.idle[connection.key]?.isEmpty == true { self.idle[connection.key] = nil }
    }
}
