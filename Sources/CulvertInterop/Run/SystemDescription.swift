import Foundation

/// The machine in a few words.
enum SystemDescription {
    /// Such as `Debian GNU/Linux 12 (bookworm), Linux 6.1.0, x86_64`.
    static let text: String = {
        var names = utsname()
        guard uname(&names) == 0 else { return ProcessInfo.processInfo.operatingSystemVersionString }
        let kernel = "\(SystemDescription.string(&names.sysname)) \(SystemDescription.string(&names.release))"
        let machine = SystemDescription.string(&names.machine)
        return [SystemDescription.distribution, kernel, machine].compactMap(\.self).joined(separator: ", ")
    }()

    private static var distribution: String? {
        let text = try? String(contentsOfFile: "/etc/os-release", encoding: .utf8)
        let line = text?.split(separator: "\n").first { $0.hasPrefix("PRETTY_NAME=") }
        return line.map { $0.dropFirst("PRETTY_NAME=".count).trimmingCharacters(in: ["\""]) }
    }

    /// A C array of characters, as a tuple.
    private static func string<Tuple>(_ tuple: inout Tuple) -> String {
        withUnsafeBytes(of: &tuple) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
    }
}
