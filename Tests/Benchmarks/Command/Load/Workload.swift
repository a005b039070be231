#if os(Linux)
    /// What is done with tunnels once they are open.
    protocol Workload: AnyObject {
        /// Whether a proxy is asked for a tunnel; otherwise the workload speaks HTTP to it.
        var needsTunnel: Bool { get }
        /// The work done so far: bytes or rounds.
        var work: Int { get }
        /// How long each round took, in nanoseconds; emptied where the measured time starts.
        var latencies: [UInt32] { get set }

        /// A tunnel is open. Returns what to wait for next.
        func opened(_ tunnel: Tunnel, of client: LoadClient) throws -> Epoll.Interest
        func readable(_ tunnel: Tunnel, of client: LoadClient) throws
        func writable(_ tunnel: Tunnel, of client: LoadClient) throws
    }

    extension Workload {
        var needsTunnel: Bool { true }
        func writable(_ tunnel: Tunnel, of client: LoadClient) throws {}

        /// Writes a message that fits the socket's buffer: nothing is on its way when it is written.
        func write(_ bytes: [UInt8], to tunnel: Tunnel) throws {
            tunnel.askedAt = nanoseconds()
            let outcome = bytes.withUnsafeBytes { LoopbackSocket.write(tunnel.socket, $0) }
            guard outcome == .bytes(bytes.count) else {
                throw LoadError("a tunnel did not take a few bytes: \(outcome)")
            }
        }

        func rememberLatency(of tunnel: Tunnel) {
            self.latencies.append(UInt32(clamping: nanoseconds() - tunnel.askedAt))
        }
    }
#endif
