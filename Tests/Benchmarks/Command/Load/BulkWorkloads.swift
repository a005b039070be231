#if os(Linux)
    /// Reads what the source pours.
    final class DownloadWorkload: Workload {
        private(set) var work = 0
        var latencies: [UInt32] = []

        func opened(_ tunnel: Tunnel, of client: LoadClient) throws -> Epoll.Interest {
            try self.write([OriginConnection.Service.source], to: tunnel)
            return .read
        }

        func readable(_ tunnel: Tunnel, of client: LoadClient) throws {
            // The first bytes of each tunnel are looked at; all the others are only counted, which costs less.
            let outcome =
                tunnel.position < Pattern.chunk
                ? LoopbackSocket.read(tunnel.socket, into: client.scratch)
                : LoopbackSocket.discard(tunnel.socket, atMost: 1 << 20)
            switch outcome {
            case .bytes(let count):
                if tunnel.position < Pattern.chunk {
                    let piece = UnsafeRawBufferPointer(rebasing: client.scratch[..<count])
                    guard Pattern.matches(piece, at: tunnel.position) else {
                        throw LoadError("a tunnel delivered other bytes than were sent")
                    }
                }
                tunnel.position += count
                self.work += count
            case .wouldBlock:
                break
            case .ended, .failed:
                throw LoadError("a tunnel ended in the middle: \(outcome)")
            }
        }
    }

    /// Pours into the sink. What counts is what came there.
    final class UploadWorkload: Workload {
        private let origin: Origin
        var work: Int { self.origin.sunkBytes }
        var latencies: [UInt32] = []

        init(_ origin: Origin) {
            self.origin = origin
        }

        func opened(_ tunnel: Tunnel, of client: LoadClient) throws -> Epoll.Interest {
            try self.write([OriginConnection.Service.sink], to: tunnel)
            return .write
        }

        func readable(_ tunnel: Tunnel, of client: LoadClient) throws {}

        func writable(_ tunnel: Tunnel, of client: LoadClient) throws {
            let outcome = Pattern.withChunk(at: tunnel.position) { LoopbackSocket.write(tunnel.socket, $0) }
            switch outcome {
            case .bytes(let count): tunnel.position += count
            case .wouldBlock: break
            case .ended, .failed: throw LoadError("a tunnel ended in the middle: \(outcome)")
            }
        }
    }
#endif
