import Foundation

#if canImport(Darwin)
    import Darwin
#elseif canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// What the place that text is written to can show.
package struct TerminalStyle: Sendable, Hashable {
    /// What a terminal has when it does not tell.
    package static let usualWidth = 80
    /// A file or a pipe has no width; this is what CI pages and editors show without wrapping.
    package static let pipeWidth = 120

    /// In columns.
    package var width: Int
    package var hasColour: Bool
    /// Otherwise only ASCII is written.
    package var isUTF8: Bool
    /// It can rewrite its last line.
    package var isLive: Bool

    package init(width: Int, hasColour: Bool = false, isUTF8: Bool = true, isLive: Bool = false) {
        self.width = width
        self.hasColour = hasColour
        self.isUTF8 = isUTF8
        self.isLive = isLive
    }

    /// Decides from the environment (`NO_COLOR`, `TERM`, `LC_ALL`, `LC_CTYPE`, `LANG`, `COLUMNS`).
    ///
    /// - Parameter width: what the terminal says, in columns; nil when it does not.
    package init(environment: [String: String], isTerminal: Bool, width: Int?) {
        let told = environment["COLUMNS"].flatMap { Int($0) }
        let known = [width, told].compactMap { $0 }.first { $0 > 0 }
        let isDumb = environment["TERM"].map { $0.isEmpty || $0 == "dumb" } ?? true
        let locale = ["LC_ALL", "LC_CTYPE", "LANG"].lazy.compactMap { environment[$0] }.first { !$0.isEmpty }
        let encoding = locale?.lowercased() ?? ""
        self.init(
            width: known ?? (isTerminal ? Self.usualWidth : Self.pipeWidth),
            hasColour: isTerminal && !isDumb && (environment["NO_COLOR"] ?? "").isEmpty,
            isUTF8: encoding.contains("utf-8") || encoding.contains("utf8"),
            isLive: isTerminal && !isDumb)
    }

    /// Asks the system about an open descriptor, usually standard output or error.
    package init(
        descriptor: CInt, environment: [String: String] = ProcessInfo.processInfo.environment
    ) {
        self.init(
            environment: environment, isTerminal: isatty(descriptor) == 1, width: Self.width(of: descriptor))
    }

    /// What a terminal says of its width now, in columns; nil when it is none or does not say.
    package static func width(of descriptor: CInt) -> Int? {
        var size = winsize()
        guard ioctl(descriptor, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else { return nil }
        return Int(size.ws_col)
    }
}

extension TerminalStyle {
    enum Ink: String {
        case red = "31"
        case green = "32"
        case yellow = "33"
        case dim = "2"
        case bold = "1"
    }

    func paint(_ text: String, _ ink: Ink?) -> String {
        guard self.hasColour, let ink else { return text }
        return "\u{1B}[\(ink.rawValue)m\(text)\u{1B}[0m"
    }

    /// Text from anywhere, safe to write here.
    func safe(_ text: String) -> String { text.visible(onlyASCII: !self.isUTF8) }

    func mark(_ state: Matrix.State) -> String {
        switch state {
        case .pass: self.isUTF8 ? "✓" : "ok"
        case .partial: self.isUTF8 ? "✓–" : "ok-"
        case .unavailable: self.isUTF8 ? "–" : "-"
        case .fail: self.isUTF8 ? "✗" : "FAIL"
        }
    }

    func ink(_ state: Matrix.State) -> Ink {
        switch state {
        case .pass, .partial: .green
        case .unavailable: .dim
        case .fail: .red
        }
    }

    var ellipsis: String { self.isUTF8 ? "…" : "..." }
    var separator: String { self.isUTF8 ? " · " : " | " }
}
