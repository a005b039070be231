import CulvertProxy
import CulvertWebSocket
import Foundation
import HTTPTypes
import NIOCore
import NIOPosix

/// Samples the proxy once a second and tells every open page.
actor StatusFeed {
    private var reporter: StatusReporter
    private var reportedAt: Double
    private var pages: [Int: AsyncStream<String>.Continuation] = [:]
    private var nextPage = 0

    private static let interval = Duration.seconds(1)
    /// Pages beyond so many are told to come back later.
    private static let maxPages = 50

    init(_ reporter: StatusReporter) {
        self.reporter = reporter
        self.reportedAt = Date().timeIntervalSince1970
    }

    /// Samples until the task is cancelled; then every page is told that nothing more comes.
    func run() async {
        while !Task.isCancelled {
            self.tick()
            try? await Task.sleep(for: Self.interval)
        }
        for page in self.pages.values { page.finish() }
    }

    /// What a page without JavaScript shows.
    func report() -> StatusReport { self.makeReport() }

    /// The metrics, read off the event loops: the list of descriptors alone can take milliseconds.
    func exposition() -> String { self.reporter.exposition }

    /// Tells one page until it leaves.
    func serve(_ socket: WebSocket) async throws {
        guard let (id, messages) = self.open() else {
            return try await socket.close(.tryAgainLater, reason: "too many pages are open")
        }
        defer { self.pages[id] = nil }
        let history = FeedMessage(history: self.reporter.history.samples, report: self.makeReport())
        try await socket.send(StatusReport.encode(history))
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            // A page says nothing; reading is how its end is noticed.
            tasks.addTask { for try await _ in socket {} }
            tasks.addTask { for await message in messages { try await socket.send(message) } }
            try await tasks.next()
            tasks.cancelAll()
        }
    }

    private func open() -> (id: Int, messages: AsyncStream<String>)? {
        guard self.pages.count < Self.maxPages else { return nil }
        // A page that is too slow for one message a second misses some.
        let (messages, continuation) = AsyncStream.makeStream(
            of: String.self, bufferingPolicy: .bufferingNewest(2))
        self.nextPage += 1
        self.pages[self.nextPage] = continuation
        return (self.nextPage, messages)
    }

    private func tick() {
        self.reporter.tick(now: Date().timeIntervalSince1970)
        guard !self.pages.isEmpty else { return }
        let message = StatusReport.encode(FeedMessage(history: nil, report: self.makeReport()))
        for page in self.pages.values { page.yield(message) }
    }

    private func makeReport() -> StatusReport {
        let now = Date().timeIntervalSince1970
        defer { self.reportedAt = now }
        return self.reporter.report(now: now, sinceLast: now - self.reportedAt)
    }
}

/// What goes over the WebSocket: first the past and the present, then the present once a second.
private struct FeedMessage: Encodable {
    var history: [StatusSample]?
    var report: StatusReport
}
