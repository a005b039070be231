#if os(Linux)
    import Foundation

    /// What the measured processes, with all their descendants, used and hold, from `/proc`.
    struct ProcessUsage {
        /// Seconds of user and system time, those of threads that ended included.
        var cpuSeconds = 0.0
        var residentBytes = 0
        var descriptors = 0

        static func of(_ roots: [Int32]) throws -> ProcessUsage {
            var usage = ProcessUsage()
            for process in try Self.family(of: roots) { try usage.add(process) }
            return usage
        }

        private mutating func add(_ process: Int32) throws {
            let fields = try Self.fields(of: process)
            let ticks = Double(Int(fields[11]) ?? 0) + Double(Int(fields[12]) ?? 0)
            self.cpuSeconds += ticks / Double(sysconf(CInt(_SC_CLK_TCK)))
            self.residentBytes += (Int(fields[21]) ?? 0) * sysconf(CInt(_SC_PAGESIZE))
            // Not readable for another user's process.
            let files = try? FileManager.default.contentsOfDirectory(atPath: "/proc/\(process)/fd")
            self.descriptors += files?.count ?? 0
        }

        /// The processes and their descendants.
        private static func family(of roots: [Int32]) throws -> [Int32] {
            guard !roots.isEmpty else { return [] }
            var children: [Int32: [Int32]] = [:]
            for name in try FileManager.default.contentsOfDirectory(atPath: "/proc") {
                guard let process = Int32(name), let fields = try? Self.fields(of: process),
                    let parent = Int32(fields[1])
                else { continue }
                children[parent, default: []].append(process)
            }
            var family: [Int32] = []
            var waiting = roots
            while let next = waiting.popLast() {
                family.append(next)
                waiting += children[next] ?? []
            }
            return family
        }

        /// The fields of `/proc/PID/stat` behind the command's name, which may hold spaces: the first is the state.
        private static func fields(of process: Int32) throws -> [Substring] {
            let text = try String(contentsOfFile: "/proc/\(process)/stat", encoding: .utf8)
            guard let end = text.lastIndex(of: ")") else { throw LoadError("/proc/\(process)/stat is odd") }
            let fields = text[text.index(after: end)...].split(separator: " ")
            guard fields.count > 21 else { throw LoadError("/proc/\(process)/stat is short") }
            return fields
        }
    }
#endif
