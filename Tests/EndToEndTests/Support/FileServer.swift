import CulvertInterop
import Foundation

/// Python's file server with these files.
struct FileServer {
    let port: Int
    private let root: URL
    private let scheme: String
    private let process: LeashedProcess

    /// - Parameter tls: whose certificate it shows; nil for plain HTTP.
    init(_ files: [String: String], tls: TestCertificates? = nil) async throws {
        self.root = try Workspace.directory("files")
        for (name, text) in files { try Workspace.write(text, to: self.root.appendingPathComponent(name)) }
        self.port = try LoopbackPort.free()
        self.scheme = tls == nil ? "http" : "https"
        let script = """
            import functools, http.server as http, ssl, sys
            port, root, *tls = sys.argv[1:]
            handler = functools.partial(http.SimpleHTTPRequestHandler, directory=root)
            server = http.ThreadingHTTPServer(("127.0.0.1", int(port)), handler)
            if tls:
                context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
                context.load_cert_chain(*tls)
                server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
            server.serve_forever()
            """
        self.process = try await LeashedProcess(
            [PeerPython.path, "-c", script, "\(self.port)", self.root.path]
                + (tls.map { [$0.certificate, $0.key] } ?? []))
        try await self.process.accepts(on: self.port)
    }

    func url(_ path: String) -> String {
        "\(self.scheme)://\(self.scheme == "http" ? "127.0.0.1" : "localhost"):\(self.port)\(path)"
    }

    /// Its log: each request's line and the status of its answer.
    var log: String { self.process.errors.text }

    /// Replaces a file by one that is newer in the seconds that HTTP's dates have.
    func replace(_ name: String, by text: String) throws {
        let file = self.root.appendingPathComponent(name)
        try Workspace.write(text, to: file)
        try FileManager.default.setAttributes(
            [.modificationDate: Date().addingTimeInterval(10)], ofItemAtPath: file.path)
    }

    func stop() async throws { try await self.process.stop() }
}
