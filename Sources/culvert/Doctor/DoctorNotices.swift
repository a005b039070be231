import Synchronization

/// What the libraries told on the way.
final class DoctorNotices: Sendable {
    private let texts = Mutex<[String]>([])

    func add(_ text: String) { self.texts.withLock { $0.append(text) } }

    var taken: [String] {
        self.texts.withLock { texts in
            defer { texts = [] }
            return texts
        }
    }
}
