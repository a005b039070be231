/// A port of 127.0.0.1 that refuses connections for as long as this value lives: bound, so that nobody else gets it,
/// and not listening.
package final class ClosedPort: Sendable {
    package let port: Int
    private let socket: LoopbackSocket

    package init() throws {
        socket = try LoopbackSocket.bound()
        port = try socket.port()
    }
}
