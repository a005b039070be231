#if os(Linux)
    /// One load, from the first tunnel to the figures.
    struct LoadRun {
        let kind: LoadKind
        let way: LoadTarget.Way
        /// `user:password` for the proxy.
        let credentials: String?
        let originPort: UInt16
        let tunnels: Int
        /// Of a WebSocket's message.
        let messageBytes: Int
        let seconds: Double
        /// Those whose processor time and memory is measured, with their descendants.
        let watched: [Int32]

        func run() throws -> LoadResult {
            let origin = try Origin(port: self.originPort)
            origin.start()
            defer { origin.stop() }
            let target = LoadTarget(way: self.way, credentials: self.credentials, originPort: origin.port)
            return switch self.kind {
            case .download: try self.runBusy(DownloadWorkload(), target)
            case .upload: try self.runBusy(UploadWorkload(origin), target)
            case .roundTrip: try self.runBusy(self.echo(), target)
            case .open: try self.runBusy(OpenWorkload(), target)
            case .requests: try self.runBusy(RequestWorkload(target.getRequest), target)
            case .messages: try self.runBusy(self.echo(), target)
            case .idle: try self.runIdle(target)
            }
        }

        private func echo(repeats: Bool = true) -> EchoWorkload {
            guard case .webSocket = self.way else { return .byte(repeats: repeats) }
            return .message(bytes: self.messageBytes, repeats: repeats)
        }

        private func runBusy(_ workload: any Workload, _ target: LoadTarget) throws -> LoadResult {
            let client = try LoadClient(target, workload)
            if self.kind == .open {
                for _ in 0..<self.tunnels { try client.open() }
            } else {
                try client.fill(self.tunnels)
            }
            // Buffers grow and code gets warm.
            try client.run(seconds: min(1, self.seconds / 4))

            workload.latencies.removeAll(keepingCapacity: true)
            let usage = try ProcessUsage.of(self.watched)
            let work = workload.work
            let start = nanoseconds()
            try client.run(seconds: self.seconds)
            let elapsed = Double(nanoseconds() - start) / 1e9
            let done = workload.work - work
            let cpu = try ProcessUsage.of(self.watched).cpuSeconds - usage.cpuSeconds
            guard done > 0 else { throw LoadError("nothing went through in \(self.seconds) s") }

            var result = self.result(seconds: elapsed)
            result.work = done
            result.workPerSecond = Double(done) / elapsed
            result.setLatencies(workload.latencies)
            if !self.watched.isEmpty {
                result.cpuSeconds = cpu
                let unit = self.kind.unit.size
                result.cpuPerUnit = unit > 1 ? cpu / (Double(done) / unit) : cpu / Double(done) / unit
            }
            return result
        }

        private func runIdle(_ target: LoadTarget) throws -> LoadResult {
            // What a process takes for its first tunnels is not what each one takes.
            let first = try LoadClient(target, self.echo(repeats: false))
            try first.fill(min(64, self.tunnels))
            first.closeAll()
            try first.run(seconds: 0.5)

            let workload = self.echo(repeats: false)
            let client = try LoadClient(target, workload)
            let before = try ProcessUsage.of(self.watched)
            try client.fill(self.tunnels)
            try client.run(atMost: 60) { workload.work == self.tunnels }
            try client.run(seconds: 1)
            let after = try ProcessUsage.of(self.watched)
            let start = nanoseconds()
            try client.run(seconds: self.seconds)
            let idle = try ProcessUsage.of(self.watched)
            // Every one of them is alive.
            try client.forEachTunnel { try workload.ask($0, of: client) }
            try client.run(atMost: 60) { workload.work == 2 * self.tunnels }

            var result = self.result(seconds: Double(nanoseconds() - start) / 1e9)
            if !self.watched.isEmpty {
                let count = Double(self.tunnels)
                result.cpuSeconds = idle.cpuSeconds - after.cpuSeconds
                result.bytesPerTunnel = Double(after.residentBytes - before.residentBytes) / count
                result.descriptorsPerTunnel = Double(after.descriptors - before.descriptors) / count
            }
            return result
        }

        private func result(seconds: Double) -> LoadResult {
            LoadResult(
                load: self.kind.rawValue, tunnels: self.tunnels, seconds: seconds, unit: self.kind.unit.name)
        }
    }
#endif
