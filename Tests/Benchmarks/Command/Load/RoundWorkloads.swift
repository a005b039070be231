#if os(Linux)
    /// Opens a tunnel, has one byte echoed, closes it, and opens the next.
    final class OpenWorkload: Workload {
        private(set) var work = 0
        var latencies: [UInt32] = []

        func opened(_ tunnel: Tunnel, of client: LoadClient) throws -> Epoll.Interest {
            // The latency is that of the whole, from the first packet on.
            let began = tunnel.askedAt
            try self.write([OriginConnection.Service.echo], to: tunnel)
            tunnel.askedAt = began
            return .read
        }

        func readable(_ tunnel: Tunnel, of client: LoadClient) throws {
            let outcome = LoopbackSocket.read(tunnel.socket, into: client.scratch)
            guard outcome != .wouldBlock else { return }
            guard outcome == .bytes(1), client.scratch[0] == OriginConnection.Service.echo else {
                throw LoadError("a tunnel did not give its byte back: \(outcome)")
            }
            self.rememberLatency(of: tunnel)
            self.work += 1
            client.close(tunnel)
            try client.open()
        }
    }

    /// GET after GET on a kept connection, each answered with a kilobyte.
    final class RequestWorkload: Workload {
        private(set) var work = 0
        var latencies: [UInt32] = []
        private let request: [UInt8]

        let needsTunnel = false

        init(_ request: [UInt8]) {
            self.request = request
        }

        func opened(_ tunnel: Tunnel, of client: LoadClient) throws -> Epoll.Interest {
            try self.write(self.request, to: tunnel)
            return .read
        }

        func readable(_ tunnel: Tunnel, of client: LoadClient) throws {
            let outcome = LoopbackSocket.read(tunnel.socket, into: client.scratch)
            guard outcome != .wouldBlock else { return }
            guard case .bytes(let count) = outcome else {
                throw LoadError("the proxy ended a connection that should be kept: \(outcome)")
            }
            let bytes = UnsafeRawBufferPointer(rebasing: client.scratch[..<count])
            guard try tunnel.answer.receive(bytes) else { return }
            self.rememberLatency(of: tunnel)
            self.work += 1
            try self.write(self.request, to: tunnel)
        }
    }
#endif
