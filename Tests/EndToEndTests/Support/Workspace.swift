import Foundation

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// Where a test run keeps its files, and which ports it may use.
enum Workspace {
    /// One directory for the whole run, removed when the test process exits.
    static let root: URL = {
        let template = FileManager.default.temporaryDirectory.appendingPathComponent("culvert-e2e.XXXXXX")
            .path
        var path = Array(template.utf8CString)
        guard mkdtemp(&path) != nil else { preconditionFailure("no temporary directory at \(template)") }
        let url = URL(
            fileURLWithPath: String(decoding: path.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self))
        // Daemons that run as nobody come through here.
        chmod(url.path, 0o755)
        rootPath = url.path
        atexit { try? FileManager.default.removeItem(atPath: Workspace.rootPath) }
        return url
    }()

    nonisolated(unsafe) private static var rootPath = ""

    /// A fresh directory that every user may write: the whole run is on loopback and thrown away.
    static func directory(_ name: String) throws -> URL {
        let url = self.root.appendingPathComponent("\(name).\(UInt32.random(in: .min ... .max))")
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: false)
        chmod(url.path, 0o777)
        return url
    }

    static func write(_ text: String, to url: URL) throws {
        try Data(text.utf8).write(to: url)
    }

    /// The path of a script in Peers.
    static func peer(_ name: String) -> String {
        self.tests.appendingPathComponent("Peers/\(name)").path
    }

    /// Tests/EndToEndTests.
    static let tests = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()

    /// The top of the repository.
    static let package = tests.deletingLastPathComponent().deletingLastPathComponent()

    /// A port nobody listens on just now. Only for daemons that cannot choose one themselves.
    static func freePort() throws -> Int {
        let descriptor = self.streamSocket()
        defer { close(descriptor) }
        var address = self.loopback(port: 0)
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let bound = self.withSocketAddress(&address) { bind(descriptor, $0, length) == 0 }
        let named = self.withSocketAddress(&address) { getsockname(descriptor, $0, &length) == 0 }
        guard bound, named else { throw POSIXError(.EADDRNOTAVAIL) }
        return Int(UInt16(bigEndian: address.sin_port))
    }

    static func accepts(port: Int) -> Bool {
        let descriptor = self.streamSocket()
        defer { close(descriptor) }
        var address = self.loopback(port: UInt16(port))
        return self.withSocketAddress(&address) {
            connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
        }
    }

    private static func streamSocket() -> Int32 {
        #if canImport(Glibc)
            socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        #else
            socket(AF_INET, SOCK_STREAM, 0)
        #endif
    }

    private static func loopback(port: UInt16) -> sockaddr_in {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        return address
    }

    private static func withSocketAddress<T>(
        _ address: inout sockaddr_in, _ body: (UnsafeMutablePointer<sockaddr>) -> T
    ) -> T {
        withUnsafeMutablePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1, body)
        }
    }
}
