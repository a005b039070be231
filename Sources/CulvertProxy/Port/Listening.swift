import NIOCore
import NIOPosix

/// The open listeners of a server.
struct Listening {
    private(set) var channels: [any Channel] = []
    private var files: [UnixListener] = []

    /// Where they listen, with the ports the system chose.
    var addresses: [ListenAddress] {
        self.channels.compactMap { $0.localAddress.flatMap(ListenAddress.init) }
    }

    /// Opens all, or none and throws.
    static func open(_ addresses: [ListenAddress], with bootstrap: ServerBootstrap) async throws(ListenError)
        -> Listening
    {
        var listening = Listening()
        for address in addresses {
            do {
                try await listening.open(address, with: bootstrap)
            } catch {
                await listening.close()
                throw ListenError(address: address, underlying: error)
            }
        }
        return listening
    }

    private mutating func open(_ address: ListenAddress, with bootstrap: ServerBootstrap) async throws {
        switch address.place {
        case .tcp:
            self.channels.append(try await bootstrap.bind(to: try address.socketAddress()).get())
        case .unix(let path, let mode):
            let file = try UnixListener(path: path, mode: mode)
            self.files.append(file)
            self.channels.append(try await bootstrap.withBoundSocket(file.descriptor).get())
        case .serviceManager:
            guard !PassedSocket.all.isEmpty else { throw NoSocketsPassed() }
            for socket in PassedSocket.all {
                self.channels.append(try await bootstrap.withBoundSocket(try socket.duplicate()).get())
            }
        }
    }

    /// Stops listening; does not wait.
    func stop() {
        for channel in self.channels { channel.close(promise: nil) }
        for file in self.files { file.remove() }
    }

    func close() async {
        self.stop()
        await self.waitUntilClosed()
    }

    func waitUntilClosed() async {
        for channel in self.channels { try? await channel.closeFuture.get() }
    }
}

/// `systemd` was named to listen on, and there is no LISTEN_FDS for this process.
struct NoSocketsPassed: Error, CustomStringConvertible {
    var description: String { "the service manager passed no sockets (LISTEN_FDS and LISTEN_PID)" }
}
