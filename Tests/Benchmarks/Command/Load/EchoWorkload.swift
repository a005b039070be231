#if os(Linux)
    import Glibc

    /// A few bytes to an echo and back, over and over: one byte through a tunnel, a message of a WebSocket.
    final class EchoWorkload: Workload {
        private(set) var work = 0
        var latencies: [UInt32] = []
        private let request: [UInt8]
        private let answer: [UInt8]
        /// False while idle connections are only held.
        private let repeats: Bool

        init(_ request: [UInt8], answer: [UInt8], repeats: Bool = true) {
            self.request = request
            self.answer = answer
            self.repeats = repeats
        }

        /// One byte that the origin echoes.
        static func byte(repeats: Bool = true) -> EchoWorkload {
            EchoWorkload(
                [OriginConnection.Service.echo], answer: [OriginConnection.Service.echo], repeats: repeats)
        }

        func opened(_ tunnel: Tunnel, of client: LoadClient) throws -> Epoll.Interest {
            try self.ask(tunnel, of: client)
            return tunnel.unsent.isEmpty ? .read : .write
        }

        /// Sends the message; what the socket does not take follows when it is writable.
        func ask(_ tunnel: Tunnel, of client: LoadClient) throws {
            tunnel.askedAt = nanoseconds()
            tunnel.position = 0
            tunnel.unsent = self.request[...]
            try self.push(tunnel)
        }

        func readable(_ tunnel: Tunnel, of client: LoadClient) throws {
            let outcome = LoopbackSocket.read(tunnel.socket, into: client.scratch)
            guard outcome != .wouldBlock else { return }
            guard case .bytes(let count) = outcome, self.isEcho(client.scratch, count, at: tunnel.position)
            else { throw LoadError("the echo is not what was sent: \(outcome)") }
            tunnel.position += count
            guard tunnel.position == self.answer.count else { return }
            self.rememberLatency(of: tunnel)
            self.work += 1
            guard self.repeats else { return }
            try self.ask(tunnel, of: client)
            if !tunnel.unsent.isEmpty { try client.wait(for: [.read, .write], on: tunnel) }
        }

        func writable(_ tunnel: Tunnel, of client: LoadClient) throws {
            guard !tunnel.unsent.isEmpty else { return }
            try self.push(tunnel)
            if tunnel.unsent.isEmpty { try client.wait(for: .read, on: tunnel) }
        }

        private func push(_ tunnel: Tunnel) throws {
            let outcome = tunnel.unsent.withUnsafeBytes { LoopbackSocket.write(tunnel.socket, $0) }
            switch outcome {
            case .bytes(let count): tunnel.unsent = tunnel.unsent.dropFirst(count)
            case .wouldBlock: break
            case .ended, .failed: throw LoadError("a connection ended in the middle: \(outcome)")
            }
        }

        private func isEcho(_ bytes: UnsafeMutableRawBufferPointer, _ count: Int, at position: Int) -> Bool {
            guard position + count <= self.answer.count else { return false }
            return self.answer.withUnsafeBytes { answer in
                guard let expected = answer.baseAddress, let came = bytes.baseAddress else {
                    return count == 0
                }
                return memcmp(expected + position, came, count) == 0
            }
        }
    }
#endif
