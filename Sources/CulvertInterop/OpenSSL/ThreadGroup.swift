internal import Synchronization

/// The threads of a server's connections, each of which is joined.
final class ThreadGroup: Sendable {
    private struct State {
        var isEnded = false
        var nextID = 0
        var running: [Int: JoinableThread] = [:]
        /// The last one that ended, not yet joined.
        var ended: JoinableThread?
    }

    private let state = Mutex(State())

    var count: Int { state.withLock { $0.running.count } }

    /// Runs `body` on a thread of its own.
    func start(_ body: @escaping @Sendable () -> Void) throws(SystemCallError) {
        // Under the lock, so that a short life is not over before it is known.
        try state.withLock { state throws(SystemCallError) in
            precondition(!state.isEnded, "nothing starts a thread after its group was joined")
            let id = state.nextID
            state.nextID += 1
            state.running[id] = try JoinableThread {
                body()
                self.end(id)
            }
        }
    }

    /// Waits for all of them. Nobody starts another.
    func join() {
        let left = state.withLock { state in
            defer { state = State(isEnded: true) }
            return Array(state.running.values) + [state.ended].compactMap(\.self)
        }
        for thread in left { thread.join() }
    }

    /// Each thread that ends joins the one that ended before it, so that one at most is left.
    private func end(_ id: Int) {
        let before = state.withLock { state -> JoinableThread? in
            // `join` has it already.
            guard let own = state.running.removeValue(forKey: id) else { return nil }
            defer { state.ended = own }
            return state.ended
        }
        before?.join()
    }
}
