import CulvertInterop
import Foundation

/// An sshd without rights, on loopback, that knows one key.
struct SSHServer: Sendable {
    let port: Int
    let destination: String
    private let directory: URL
    private let process: LeashedProcess

    /// What the client needs to find it, trust it and be known to it.
    var arguments: [String] {
        [
            "-F", "none", "-p", String(self.port), "-i", self.directory.appendingPathComponent("user").path,
            "-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null", "-o", "LogLevel=ERROR",
            "-o", "BatchMode=yes",
        ]
    }

    private static let started = Task { try await start() }

    static func shared() async throws -> SSHServer { try await self.started.value }

    private static func start() async throws -> SSHServer {
        let directory = try Workspace.directory("sshd")
        let isRoot = getuid() == 0
        func file(_ name: String) -> URL { directory.appendingPathComponent(name) }
        for name in ["host", "user"] {
            try await Command.check(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", file(name).path])
        }
        let port = try LoopbackPort.free()
        let configuration = """
            ListenAddress 127.0.0.1:\(port)
            HostKey \(file("host").path)
            AuthorizedKeysFile \(file("user.pub").path)
            PidFile none
            StrictModes no
            UsePAM no
            PasswordAuthentication no
            KbdInteractiveAuthentication no

            """
        try Workspace.write(configuration, to: file("conf"))
        var environment: [String: String] = [:]
        if isRoot {
            // nobody has no login shell; this one does, for this one process.
            try await Command.check(["chown", "nobody", file("host").path])
            try Workspace.write("nobody:x:65534:65534:nobody:\(directory.path):/bin/sh\n", to: file("passwd"))
            try Workspace.write("nogroup:x:65534:\n", to: file("group"))
            environment = [
                "LD_PRELOAD": "libnss_wrapper.so", "NSS_WRAPPER_PASSWD": file("passwd").path,
                "NSS_WRAPPER_GROUP": file("group").path,
            ]
        }
        // Preloaded into sshd alone: the leash must still see the machine's own users.
        let variables = environment.map { "\($0.key)=\($0.value)" }
        let sshd = Tool.sshd.path ?? "sshd"
        let process = try await LeashedProcess(
            ["env"] + variables + [sshd, "-D", "-e", "-f", file("conf").path], rights: .nobody)
        try await process.accepts(on: port)
        let user = isRoot ? "nobody" : NSUserName()
        return SSHServer(port: port, destination: "\(user)@127.0.0.1", directory: directory, process: process)
    }
}
