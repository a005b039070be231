import CulvertProxy
import UnixSignals

/// Reads the configuration again on SIGHUP and when one of its files changes, and gives the running server all of it
/// or, where it has an error, none.
actor ProxyReloader {
    private let server: ProxyServer
    private let load: @Sendable () throws -> ProxySettings
    private var settings: ProxySettings
    private var seen: FileFingerprints

    /// How long a change may go unnoticed. 1 s: a person who saved a file does not wait, and a look costs microseconds.
    private static let interval = Duration.seconds(1)

    /// - Parameters:
    ///   - settings: what the server runs on now.
    ///   - load: reads all sources again.
    init(server: ProxyServer, settings: ProxySettings, load: @escaping @Sendable () throws -> ProxySettings) {
        self.server = server
        self.settings = settings
        self.load = load
        self.seen = FileFingerprints(of: settings.files)
    }

    /// Until its task is cancelled.
    func run() async {
        await withTaskGroup(of: Void.self) { tasks in
            tasks.addTask {
                for await _ in await UnixSignalsSequence(trapping: .sighup) { await self.reload() }
            }
            if self.settings.watchesFiles { tasks.addTask { await self.watch() } }
        }
    }

    private func watch() async {
        var changing: FileFingerprints?
        while (try? await Task.sleep(for: Self.interval)) != nil {
            let now = FileFingerprints(of: self.settings.files)
            // A file that is still being written changes again: wait until it rests.
            if now != self.seen, now == changing { self.reload() }
            changing = now
        }
    }

    private func reload() {
        ServiceManager.current?.tell(.reloading)
        defer { ServiceManager.current?.tell(.ready) }
        // Before the files are read, so that a change while they are is seen next time.
        self.seen = FileFingerprints(of: self.settings.files)
        do {
            let next = try self.load()
            try self.server.reload(next.proxy)
            self.tellWhatNeedsRestart(next)
            if next.files != self.settings.files { self.seen = FileFingerprints(of: next.files) }
            self.settings = next
            StandardError.print("culvert proxy: reloaded the configuration")
        } catch {
            let reason = CommandFailure(error).message
            StandardError.print("culvert proxy: the old configuration stays: \(printable(reason))")
        }
    }

    private func tellWhatNeedsRestart(_ next: ProxySettings) {
        for name in next.settingsNeedingRestart(comparedWith: self.settings) {
            StandardError.print("culvert proxy: note: the new \(name) counts after a restart")
        }
    }
}
