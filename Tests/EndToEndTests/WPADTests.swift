import CulvertInterop
import Foundation
import Testing

#if os(Linux)
    /// WPAD by DNS, with a resolver, a name server and a web server of its own.
    @Suite(
        "WPAD", .timeLimit(.minutes(2)), .requires(.python3, .curl),
        .enabled("needs user, network and mount namespaces for an unprivileged user") {
            try await Command.run(["unshare", "--map-root-user", "--net", "--mount", "true"]).status == 0
        })
    struct WPADTests {
        /// What happened in the network of Peers/wpad_network.py.
        private struct Run {
            let result: CommandResult
            /// Names that the resolver asked for.
            var asked: Set<String> { Set(self.lines(after: "asked ")) }
            /// Method, target and Host of each request.
            var served: [String] { self.lines(after: "served ") }

            private func lines(after prefix: String) -> [String] {
                self.result.errors.split(separator: "\n").filter { $0.hasPrefix(prefix) }.map {
                    String($0.dropFirst(prefix.count))
                }
            }
        }

        /// - Parameters:
        ///   - search: the resolver's domains.
        ///   - name: the one name there is.
        private func run(_ command: [String], search: String, name: String = "wpad.corp.example") async throws
            -> Run
        {
            let script = "function FindProxyForURL() { return 'PROXY 127.0.0.1:80'; }"
            return Run(
                result: try await Command.run(
                    [
                        "unshare", "--map-root-user", "--net", "--mount", PeerPython.path,
                        Workspace.peer("wpad_network.py"), search, name, script,
                    ] + command))
        }

        @Test("the name wpad is completed by the search domains, and the script there decides")
        func found() async throws {
            let run = try await self.run(
                [CulvertCommand.path, "connect", "192.0.2.1:443", "--wpad"],
                search: "dept.corp.example corp.example")
            #expect(run.result.status == 0, "\(run.result.errors)")
            #expect(run.result.text == "through the script's proxy\n")
            #expect(run.asked == ["wpad.dept.corp.example", "wpad.corp.example"])
            #expect(run.served == ["GET /wpad.dat wpad", "CONNECT 192.0.2.1:443 192.0.2.1:443"])
        }

        @Test("culvert proxy --wpad")
        func proxy() async throws {
            let run = try await self.run(
                [
                    "sh", "-c",
                    """
                    "$0" proxy --wpad --listen 127.0.0.1:3128 >&2 &
                    curl -sS --retry 20 --retry-connrefused --retry-delay 1 -x 127.0.0.1:3128 http://192.0.2.1/page
                    status=$?; kill $!; wait; exit $status
                    """, CulvertCommand.path,
                ], search: "corp.example")
            #expect(run.result.text == "through the script's proxy\n", "\(run.result.errors)")
            #expect(run.served == ["GET /wpad.dat wpad", "GET http://192.0.2.1/page 192.0.2.1"])
        }

        @Test("no domain above the resolver's own is asked, and without a script nothing goes out")
        func noDevolution() async throws {
            let run = try await self.run(
                [CulvertCommand.path, "connect", "127.0.0.1:80", "--wpad"], search: "dept.corp.example")
            #expect(run.result.status == 78, "\(run.result.errors)")
            #expect(run.result.errors.contains("http://wpad/wpad.dat: "), "\(run.result.errors)")
            #expect(run.asked.isSubset(of: ["wpad.dept.corp.example", "wpad"]), "\(run.asked)")
            #expect(run.served.isEmpty)
        }

        @Test("nobody is asked for wpad who does not want it")
        func notAsked() async throws {
            let run = try await self.run(
                [CulvertCommand.path, "connect", "wpad.corp.example:80"], search: "corp.example")
            #expect(run.result.status == 0, "\(run.result.errors)")
            #expect(run.asked == ["wpad.corp.example"])
            #expect(run.served.isEmpty)
        }
    }
#endif
