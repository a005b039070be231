#if os(Linux)
    import CLinux
    import NIOCore
    import Synchronization

    #if canImport(Glibc)
        import Glibc
    #elseif canImport(Musl)
        import Musl
    #endif

    /// The process' relay threads, one per core, or as many as SwiftNIO's shared loops are told to be
    /// (`NIO_SINGLETON_GROUP_LOOP_COUNT`).
    final class SpliceLoops: Sendable {
        /// Started when the first proxy asks. Nil where the system refuses to splice.
        static let shared = SpliceLoops(count: NIOSingletons.groupLoopCountSuggestion)

        /// Each of them.
        let all: [SpliceLoop]
        private let turn = Atomic(0)

        /// - Parameter pipes: for each of the loops.
        init?(count: Int, pipes: SplicePipePool = .init()) {
            guard Self.isSpliceAllowed else { return nil }
            self.all = (0..<count).compactMap { SpliceLoop(name: "relay-\($0)", pipes: pipes) }
            if self.all.isEmpty { return nil }
        }

        func next() -> SpliceLoop {
            let turn = self.turn.wrappingAdd(1, ordering: .relaxed).oldValue
            return self.all[Int(UInt(bitPattern: turn) % UInt(self.all.count))]
        }

        /// Another loop that has much less to do than this one; nil when there is none.
        func relief(for loop: SpliceLoop) -> SpliceLoop? {
            guard self.all.count > 1, let idlest = self.all.min(by: { $0.load < $1.load }) else { return nil }
            return idlest.load + Self.leastDifference < loop.load ? idlest : nil
        }

        /// To pass a connection on wakes another thread, which costs as much as all else about it.
        private static let leastDifference = 8

        /// Sandboxes may forbid the call: asks with a socket that has nothing to give.
        private static var isSpliceAllowed: Bool {
            guard let pipe = SplicePipe(.small) else { return false }
            defer { pipe.close() }
            var ends: [CInt] = [-1, -1]
            guard socketpair(AF_UNIX, SpliceSocket.kind, 0, &ends) == 0 else { return false }
            let sockets = ends.map(SpliceSocket.init)
            defer { for socket in sockets { socket.close() } }
            guard case .wouldBlock = sockets[0].splice(into: pipe) else { return false }
            return true
        }
    }
#endif
