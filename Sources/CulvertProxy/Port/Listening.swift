import HTTPWire
import NIOCore
import NIOPosix

/// The open listeners of a server.
struct Listening {
    /// Opens a listener whose connections begin in front of SwiftNIO.
    typealias Front = (IPAddress, UInt16) throws(IOError) -> any ListeningSocket

    private var sockets: [any ListeningSocket] = []
    private var files: [UnixListener] = []

    /// Where they listen, with the ports the system chose.
    var addresses: [ListenAddress] { self.sockets.compactMap(\.address) }

    /// Opens all, or none and throws.
    ///
    /// - Parameter front: for those on an address and port; nil leaves them to the bootstrap too.
    static func open(
        _ addresses: [ListenAddress], with bootstrap: ServerBootstrap, front: Front?
    ) async throws(ListenError) -> Listening {
        var listening = Listening()
        for address in addresses {
            do {
                try await listening.open(address, with: bootstrap, front: front)
            } catch {
                await listening.close()
                throw ListenError(address: address, underlying: error)
            }
        }
        return listening
    }

    private mutating func open(
        _ address: ListenAddress, with bootstrap: ServerBootstrap, front: Front?
    ) async throws {
        switch address.place {
        case .tcp(let ip, let port):
            if let front, let port = UInt16(exactly: port) {
                self.sockets.append(try front(ip, port))
            } else {
                self.add(try await bootstrap.bind(to: try address.socketAddress()).get())
            }
        case .unix(let path, let mode):
            let file = try UnixListener(path: path, mode: mode)
            self.files.append(file)
            self.add(try await bootstrap.withBoundSocket(file.descriptor).get())
        case .serviceManager:
            guard !PassedSocket.all.isEmpty else { throw NoSocketsPassed() }
            for socket in PassedSocket.all {
                self.add(try await bootstrap.withBoundSocket(try socket.duplicate()).get())
            }
        }
    }

    private mutating func add(_ channel: any Channel) {
        self.sockets.append(ListeningChannel(channel: channel))
    }

    /// Stops listening; does not wait.
    func stop() {
        for socket in self.sockets { socket.stop() }
        for file in self.files { file.remove() }
    }

    func close() async {
        self.stop()
        await self.waitUntilClosed()
    }

    func waitUntilClosed() async {
        for socket in self.sockets { await socket.waitUntilClosed() }
    }
}

/// `systemd` was named to listen on, and there is no LISTEN_FDS for this process.
struct NoSocketsPassed: Error, CustomStringConvertible {
    var description: String { "the service manager passed no sockets (LISTEN_FDS and LISTEN_PID)" }
}
