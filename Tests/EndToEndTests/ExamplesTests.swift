import CulvertInterop
import Foundation
import Testing
import Yams

/// The files under Examples that other programs read, judged by those programs or by what they are known to want.
@Suite("the examples for operators", .timeLimit(.minutes(2)))
struct ExamplesTests {
    private func example(_ path: String) -> URL {
        Workspace.package.appendingPathComponent("Examples/\(path)")
    }

    /// The unit with this machine's culvert for the installed one: systemd looks whether it is there.
    private func unit(_ name: String, in directory: URL) throws -> String {
        let text = try String(contentsOf: self.example("Systemd/\(name)"), encoding: .utf8)
        let file = directory.appendingPathComponent(name)
        try Workspace.write(text.replacing("/usr/bin/culvert", with: CulvertCommand.path), to: file)
        return file.path
    }

    @Test("systemd finds nothing wrong with the units, and little exposed", .requires(.systemdAnalyze))
    func systemd() async throws {
        let directory = try Workspace.directory("systemd")
        let socket = try self.unit("culvert-proxy.socket", in: directory)
        let service = try self.unit("culvert-proxy.service", in: directory)
        let verified = try await Command.run(["systemd-analyze", "verify", "--man=no", service, socket])
        #expect(verified.status == 0, "\(verified.errors)")
        #expect(!verified.errors.contains("culvert"), "\(verified.errors)")
        // 0 is nothing exposed, 10 everything; a unit without hardening has 9.6.
        let judged = try await Command.run([
            "systemd-analyze", "security", "--offline=true", "--threshold=20", service,
        ])
        #expect(judged.status == 0, "\(judged.text.suffix(300))")
    }

    @Test("Kubernetes' schemas, read strictly, take the manifest, and no misspelt one", .requires(.python3))
    func kubernetesSchemas() async throws {
        let file = self.example("Kubernetes/culvert.yaml")
        let validate = [PeerPython.path, "-m", "kubernetes_validate", "--strict"]
        let judged = try await Command.run(validate + [file.path])
        #expect(judged.status == 0, "\(judged.text)\(judged.errors)")
        let misspelt = try Workspace.directory("misspelt").appendingPathComponent("culvert.yaml")
        let text = try String(contentsOf: file, encoding: .utf8)
        try Workspace.write(text.replacing("readinessProbe:", with: "readinesProbe:"), to: misspelt)
        let refused = try await Command.run(validate + [misspelt.path])
        #expect(refused.status == 1, "\(refused.text)\(refused.errors)")
        #expect((refused.text + refused.errors).contains("readinesProbe"))
    }

    @Test("the Kubernetes manifest hangs together, and its configuration is one of ours")
    func kubernetes() async throws {
        let text = try String(contentsOf: self.example("Kubernetes/culvert.yaml"), encoding: .utf8)
        let documents = try Yams.compose_all(yaml: text).map { $0 }
        var byKind: [String: Node] = [:]
        for document in documents {
            let kind = try (document["kind"]?.string).unwrapped("a kind")
            #expect(document["apiVersion"]?.string != nil)
            #expect(document["metadata"]?["name"]?.string == "culvert")
            byKind[kind] = document
        }
        #expect(Set(byKind.keys) == ["ConfigMap", "Deployment", "PodDisruptionBudget", "Service"])
        let deployment = try (byKind["Deployment"]?["spec"]).unwrapped("a deployment")
        let pod = try (deployment["template"]?["spec"]).unwrapped("a pod")
        let container = try (pod["containers"]?[0]).unwrapped("a container")

        let labels = deployment["template"]?["metadata"]?["labels"]?["app"]?.string
        #expect(labels != nil)
        #expect(deployment["selector"]?["matchLabels"]?["app"]?.string == labels)
        #expect(byKind["Service"]?["spec"]?["selector"]?["app"]?.string == labels)
        let ports = container["ports"]?.sequence.map { $0.compactMap { $0["name"]?.string } } ?? []
        #expect(ports.contains(byKind["Service"]?["spec"]?["ports"]?[0]?["targetPort"]?.string ?? "none"))
        for (probe, path) in [("readinessProbe", "/readyz"), ("livenessProbe", "/healthz")] {
            #expect(container[probe]?["httpGet"]?["path"]?.string == path)
            #expect(ports.contains(container[probe]?["httpGet"]?["port"]?.string ?? "none"))
        }

        let settings = try (byKind["ConfigMap"]?["data"]?["proxy.yaml"]?.string).unwrapped("settings")
        let file = try Workspace.directory("kubernetes").appendingPathComponent("proxy.yaml")
        try Workspace.write(settings, to: file)
        let checked = try await CulvertCommand.run(["proxy", "--check", file.path])
        #expect(checked.status == 0, "\(checked.errors)")
        let proxy = try Yams.compose(yaml: settings)
        let seconds = ["drain-delay", "drain-timeout"].compactMap { key in
            (proxy?[key]?.string).flatMap { Int($0.dropLast()) }
        }
        #expect(seconds.count == 2)
        #expect(seconds.reduce(0, +) < pod["terminationGracePeriodSeconds"]?.int ?? 0)
    }

    @Test("the container runs the flags that the program has")
    func container() async throws {
        let text = try String(contentsOf: self.example("Container/Containerfile"), encoding: .utf8)
        let line = try text.split(separator: "\n").first { $0.hasPrefix("ENTRYPOINT ") }.unwrapped("an entry")
        let command = try JSONDecoder().decode([String].self, from: Data(line.dropFirst(11).utf8))
        #expect(command.first == "/usr/bin/culvert")
        // The addresses are the container's; here they are free ones.
        let arguments = command.dropFirst().map { $0.hasPrefix("0.0.0.0:") ? "127.0.0.1:0" : $0 }
        let proxy = try await LeashedProcess([CulvertCommand.path] + arguments)
        _ = try await proxy.port(after: "culvert proxy: listening on ", in: proxy.errors)
        _ = try await proxy.port(after: "culvert proxy: admin listener on ", in: proxy.errors)
    }

    @Test("the container builds with the libraries that Tests/install.sh names for the build")
    func containerLibraries() async throws {
        let container = try String(contentsOf: self.example("Container/Containerfile"), encoding: .utf8)
        let script = try String(
            contentsOf: Workspace.package.appendingPathComponent("Tests/install.sh"), encoding: .utf8)
        let build = try #require(script.components(separatedBy: "build=(").dropFirst().first)
        let libraries = build.prefix { $0 != ")" }.split { $0.isWhitespace }.filter { $0.hasSuffix("-dev") }
        #expect(libraries.count >= 4)
        for library in libraries { #expect(container.contains(" \(library) "), "\(library)") }
    }
}
