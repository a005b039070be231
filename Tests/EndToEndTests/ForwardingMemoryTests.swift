#if os(Linux)
    import CulvertInterop
    import Foundation
    import Testing

    /// That bodies of any length pass in flat memory.
    ///
    /// `CULVERT_TEST_GIGABYTES=10` makes them that long.
    @Suite(
        "memory of forwarded bodies", .serialized, .timeLimit(.minutes(20)), .requires(.curl, .python3))
    struct ForwardingMemoryTests {
        private static let bytes: Int = {
            let gigabytes = ProcessInfo.processInfo.environment["CULVERT_TEST_GIGABYTES"].flatMap(Int.init)
            return gigabytes.map { $0 << 30 } ?? 128 << 20
        }()

        /// What a connection may have on its way is some 100 kB; the rest is room for the allocator's.
        private static let allowanceKilobytes = 8 << 10

        private func curl(_ arguments: [String], _ proxy: CulvertProxyProcess) async throws -> String {
            try await Command.check(
                ["curl", "--silent", "--show-error", "--fail", "--proxy", proxy.url] + arguments,
                within: .seconds(540)
            ).text
        }

        /// Does the same twice: what grows with the bytes would grow again.
        private func expectFlat(
            _ what: String, _ proxy: CulvertProxyProcess, _ transfer: () async throws -> Void
        ) async throws {
            let before = try proxy.residentKilobytes()
            try await transfer()
            let first = try proxy.residentKilobytes()
            try await transfer()
            let second = try proxy.residentKilobytes()
            print(
                "\(what), \(Self.bytes) bytes each: \(before) kB, then \(first), then \(second) kB resident")
            #expect(second <= first + Self.allowanceKilobytes)
        }

        @Test("a download, read at full speed and slowly")
        func download() async throws {
            let origin = try await Origins.shared.plainWeb()
            let proxy = try await CulvertProxyProcess()
            let url = origin.url("/bytes/\(Self.bytes)")
            let arguments = ["--output", "/dev/null", "--write-out", "%{size_download}", url]
            try await self.expectFlat("download", proxy) {
                let size = try await self.curl(arguments, proxy)
                #expect(size == "\(Self.bytes)")
            }
            // The origin is faster than the reader: what waits between them is bounded.
            let rate = ["--limit-rate", "\(max(1 << 20, Self.bytes / 8))"]
            try await self.expectFlat("slow download", proxy) {
                let size = try await self.curl(rate + arguments, proxy)
                #expect(size == "\(Self.bytes)")
            }
        }

        @Test("an upload")
        func upload() async throws {
            let origin = try await Origins.shared.plainWeb()
            let proxy = try await CulvertProxyProcess()
            let body = try Workspace.directory("upload").appendingPathComponent("body")
            // A file of holes: no disk is that large.
            try Data().write(to: body)
            let file = try FileHandle(forWritingTo: body)
            try file.truncate(atOffset: UInt64(Self.bytes))
            try file.close()
            let arguments = ["--upload-file", body.path, origin.url("/sink")]
            try await self.expectFlat("upload", proxy) {
                let answer = try await self.curl(arguments, proxy)
                #expect(answer.hasSuffix(" \(Self.bytes)\n"))
            }
        }
    }
#endif
