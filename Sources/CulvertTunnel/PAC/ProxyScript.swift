import Foundation
public import HTTPWire
public import ProxyRoutes

/// A proxy auto-configuration script (PAC): `FindProxyForURL` decides the way to each origin.
///
/// The script runs in a process of its own, once for each origin, and is killed when it takes too long or too much. It
/// sees scheme, host and port of a URL and never its path. It is ECMAScript 5, as Duktape speaks it.
public actor ProxyScript {
    /// How a script is read and run.
    public struct Options: Sendable {
        /// The program that evaluates scripts, with its arguments: the `culvert` command, which need not be on the
        /// `PATH` when the whole path stands here.
        public var evaluator = ["culvert", "pac-evaluator"]
        /// For one evaluation, name lookups of the script included. 10 s: a resolver gives up on one server in 5.
        public var deadline: Duration = .seconds(10)
        /// For the script and its values, in bytes. 64 MiB: a list of a hundred thousand names takes a tenth.
        public var memoryLimit = 64 << 20
        /// What counts when the script cannot be read, fails, or answers nonsense.
        public var onFailure = Failure.error
        /// How long an answer for an origin counts.
        public var resultLifetime: Duration = .seconds(300)
        /// How often a script from the web is fetched again.
        public var refreshInterval: Duration = .seconds(600)
        /// TLS with the server of an `https` script.
        public var tls = TLSOptions()
        /// Told what the script tells by `alert`, and of fetches that failed while an older script counts.
        public var onNotice: (@Sendable (String) -> Void)?

        /// The defaults.
        public init() {}

        /// The defaults, changed by the closure.
        public init(_ configure: (inout Options) throws -> Void) rethrows {
            try configure(&self)
        }
    }

    /// What a failure of the script means.
    public enum Failure: String, Sendable, Hashable, CaseIterable {
        /// Nothing goes out, and the error says where the script fails.
        case error
        /// Everything goes out directly, past the proxies that the script may have meant to be gone through.
        case direct
    }

    /// Where the script is.
    public nonisolated let source: ProxyScriptSource
    /// How it is read and run.
    public nonisolated let options: Options

    private struct Text {
        let script: String
        var readAt: ContinuousClock.Instant
        /// Of a file.
        var stamp: FileFingerprints?
        /// Of what came from the web.
        var validators: PACDownload.Validators?
    }

    private struct Entry {
        let answer: Task<PACResult, any Error>
        let askedAt: ContinuousClock.Instant
    }

    private var text: Text?
    private var loading: Task<Text, any Error>?
    private var entries: [String: Entry] = [:]

    /// Origins whose answers are kept: more than a person visits in five minutes.
    private static let maxEntries = 4096
    /// How often a file is looked at.
    private static let fileInterval = Duration.seconds(1)

    /// A script; it is read when it is first asked.
    public init(_ source: ProxyScriptSource, _ options: Options = .init()) {
        self.source = source
        self.options = options
    }

    /// The ways to an origin, in the order they are tried.
    ///
    /// - Parameters:
    ///   - target: its host and port.
    ///   - scheme: that of its URL: `http`, `https`, `ws`, `wss`.
    /// - Throws: ``ProxyScriptError``, unless ``Options/onFailure`` is ``Failure/direct``.
    public func routes(to target: Authority, scheme: String = "https") async throws -> [Route] {
        do {
            return try await self.result(for: target, scheme: scheme).routes
        } catch let error as ProxyScriptError where self.options.onFailure == .direct {
            self.options.onNotice?("\(error); going direct")
            return [.direct]
        }
    }

    /// Reads the script, so that one that cannot be read is found before it is needed.
    public func load() async throws {
        _ = try await self.currentText()
    }

    // MARK: Answers

    private func result(for target: Authority, scheme: String) async throws -> PACResult {
        let text = try await self.currentText()
        let key = "\(scheme)://\(target)"
        let now = ContinuousClock.now
        if let entry = self.entries[key], now - entry.askedAt < self.options.resultLifetime {
            return try await entry.answer.value
        }
        // Whoever asks for the same origin meanwhile waits for the same answer.
        let answer = Task { try await self.evaluate(text.script, target, scheme: scheme) }
        self.makeRoom(at: now)
        self.entries[key] = Entry(answer: answer, askedAt: now)
        do {
            return try await answer.value
        } catch {
            if self.entries[key]?.answer == answer { self.entries[key] = nil }
            throw error
        }
    }

    private nonisolated func evaluate(
        _ script: String, _ target: Authority, scheme: String
    ) async throws -> PACResult {
        let defaultPort = EnvironmentProxies.TargetScheme(rawValue: scheme)?.defaultPort ?? 80
        let port = target.port == defaultPort ? "" : ":\(target.port)"
        let question = PACQuestion(
            script: script, url: "\(scheme)://\(target.bracketedHost)\(port)/", host: target.hostDescription,
            memoryLimit: self.options.memoryLimit,
            seconds: max(1, Int(self.options.deadline / .seconds(1)) + 1))
        let answer = try await PACProcess(source: self.source, options: self.options).run(question)
        for alert in answer.alerts { self.options.onNotice?("\(self.source) says: \(alert)") }
        guard let text = answer.result else {
            throw ProxyScriptError(.failed, self.source, line: answer.line, answer.error ?? "it failed")
        }
        do {
            let result = try PACResult(text)
            for part in result.ignored {
                self.options.onNotice?("\(self.source): \"\(part)\" is no way and is passed over")
            }
            return result
        } catch {
            throw ProxyScriptError(.failed, self.source, "\(error)")
        }
    }

    private func makeRoom(at now: ContinuousClock.Instant) {
        guard self.entries.count >= Self.maxEntries else { return }
        self.entries = self.entries.filter { now - $0.value.askedAt < self.options.resultLifetime }
        if self.entries.count >= Self.maxEntries { self.entries = [:] }
    }

    // MARK: The script

    private func currentText() async throws -> Text {
        guard let text else { return try await self.read() }
        let age = ContinuousClock.now - text.readAt
        switch self.source {
        case .file(let path):
            guard age >= Self.fileInterval, FileFingerprints(of: [path]) != text.stamp else { return text }
            return try await self.read()
        case .web, .wpad:
            if age >= self.options.refreshInterval { self.refresh() }
            return text
        }
    }

    /// Nobody waits for it: the script that is here counts meanwhile, and also when it fails. The fetch has a deadline.
    private func refresh() {
        // Asked for again after the interval, whatever comes of it.
        self.text?.readAt = .now
        Task {
            do {
                _ = try await self.read()
            } catch {
                self.options.onNotice?("\(error); the script fetched before still counts")
            }
        }
    }

    /// Once for all that wait for it.
    private func read() async throws -> Text {
        let task =
            self.loading ?? Task { [text] in try await Self.read(self.source, self.options, since: text) }
        self.loading = task
        defer { if self.loading == task { self.loading = nil } }
        let text = try await task.value
        if text.script != self.text?.script { self.entries = [:] }
        self.text = text
        return text
    }

    private static func read(
        _ source: ProxyScriptSource, _ options: Options, since old: Text?
    ) async throws -> Text {
        let now = ContinuousClock.now
        let location: ProxyScriptSource.Location
        switch source {
        case .file(let path):
            // Before it is read, so that a change meanwhile is seen next time.
            let stamp = FileFingerprints(of: [path])
            let bytes = try PACFile.read(path, source)
            return Text(script: try self.decode(bytes, charset: nil, source), readAt: now, stamp: stamp)
        case .web(let url): location = url
        case .wpad: location = .init(try Authority(host: "wpad", port: 80), "/wpad.dat")
        }
        let download = PACDownload(source: source, tls: options.tls)
        guard let fetched = try await download.fetch(location, unless: old?.validators) else {
            guard var text = old else { throw ProxyScriptError(.unreadable, source, "the server sent none") }
            text.readAt = now
            return text
        }
        let script = try self.decode(fetched.bytes, charset: fetched.charset, source)
        return Text(script: script, readAt: now, validators: fetched.validators)
    }

    private static func decode(
        _ bytes: [UInt8], charset: String?, _ source: ProxyScriptSource
    ) throws(ProxyScriptError) -> String {
        guard let text = PACText.decode(bytes, charset: charset) else {
            throw ProxyScriptError(.unreadable, source, "its charset \(charset ?? "") is not known")
        }
        return text
    }
}
