#if os(Linux)
    /// One connection to the origin.
    final class OriginConnection {
        /// What the first byte of a connection asks for; any other byte is the first to be echoed.
        enum Service {
            static let source = UInt8(ascii: "D")
            static let sink = UInt8(ascii: "U")
            static let http = UInt8(ascii: "G")
            static let echo = UInt8(ascii: "e")
        }

        private enum Mode {
            case unknown
            case source(sent: Int)
            case sink
            case echo
            case http(HTTPResponder)
        }

        private let socket: CInt
        private var mode = Mode.unknown
        /// What the socket did not take yet.
        private var pending: [UInt8] = []

        init(_ socket: CInt) {
            self.socket = socket
        }

        var interest: Epoll.Interest {
            if case .source = self.mode { return .write }
            return self.pending.isEmpty ? .read : .write
        }

        /// Does what can be done now; false once the connection is over.
        func serve(scratch: UnsafeMutableRawBufferPointer, sank: (Int) -> Void) -> Bool {
            switch self.mode {
            case .source(let sent):
                return self.pour(sent)
            case .sink:
                return self.swallow(sank)
            case .unknown, .echo, .http:
                return self.pending.isEmpty ? self.answer(scratch) : self.flush()
            }
        }

        private func pour(_ sent: Int) -> Bool {
            switch Pattern.withChunk(at: sent, { LoopbackSocket.write(self.socket, $0) }) {
            case .bytes(let count): self.mode = .source(sent: sent + count)
            case .wouldBlock: break
            case .ended, .failed: return false
            }
            return true
        }

        private func swallow(_ sank: (Int) -> Void) -> Bool {
            switch LoopbackSocket.discard(self.socket, atMost: 1 << 20) {
            case .bytes(let count): sank(count)
            case .wouldBlock: break
            case .ended, .failed: return false
            }
            return true
        }

        private func answer(_ scratch: UnsafeMutableRawBufferPointer) -> Bool {
            switch LoopbackSocket.read(self.socket, into: scratch) {
            case .bytes(let count):
                return self.answer(to: UnsafeRawBufferPointer(rebasing: scratch[..<count]))
            case .wouldBlock:
                return true
            case .ended, .failed:
                return false
            }
        }

        private func answer(to bytes: UnsafeRawBufferPointer) -> Bool {
            if case .unknown = self.mode, let first = bytes.first {
                self.mode =
                    switch first {
                    case Service.source: .source(sent: 0)
                    case Service.sink: .sink
                    case Service.http: .http(HTTPResponder())
                    default: .echo
                    }
            }
            switch self.mode {
            case .unknown, .source, .sink:
                return true
            case .echo:
                return self.send(bytes)
            case .http(var responder):
                let answers = responder.receive(bytes)
                self.mode = .http(responder)
                for _ in 0..<answers {
                    guard HTTPResponder.response.withUnsafeBytes(self.send) else { return false }
                }
                return true
            }
        }

        private func send(_ bytes: UnsafeRawBufferPointer) -> Bool {
            guard self.pending.isEmpty else {
                self.pending += bytes
                return true
            }
            switch LoopbackSocket.write(self.socket, bytes) {
            case .bytes(let count): self.pending += bytes.dropFirst(count)
            case .wouldBlock: self.pending += bytes
            case .ended, .failed: return false
            }
            return true
        }

        private func flush() -> Bool {
            switch self.pending.withUnsafeBytes({ LoopbackSocket.write(self.socket, $0) }) {
            case .bytes(let count): self.pending.removeFirst(count)
            case .wouldBlock: break
            case .ended, .failed: return false
            }
            return true
        }
    }
#endif
