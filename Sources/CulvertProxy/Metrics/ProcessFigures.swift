import Foundation

/// What the operating system says of this process, under the names of Prometheus' client libraries; nil where it
/// does not say.
package struct ProcessFigures: Sendable {
    package var cpuSeconds: Double?
    package var residentBytes: Double?
    package var virtualBytes: Double?
    package var openDescriptors: Int?
    package var maxDescriptors: Int?
    package var threads: Int?
    /// In seconds since 1970.
    package var startedAt: Double?

    package init() {}

    /// Reads `/proc`; blocks for as long as that takes, some milliseconds with thousands of descriptors.
    package static func current() -> ProcessFigures {
        var figures = ProcessFigures()
        figures.readStat()
        figures.openDescriptors = (try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd"))
            // The listing itself holds one.
            .map { max(0, $0.count - 1) }
        figures.maxDescriptors = Self.descriptorLimit
        return figures
    }

    private mutating func readStat() {
        guard let stat = try? String(contentsOfFile: "/proc/self/stat", encoding: .utf8),
            // The name of the program stands in parentheses and may hold blanks.
            let name = stat.lastIndex(of: ")")
        else { return }
        // proc(5) counts from 1, and the state behind the name is field 3.
        let fields = stat[stat.index(after: name)...].split(separator: " ")
        func field(_ number: Int) -> Double? {
            fields.indices.contains(number - 3) ? Double(fields[number - 3]) : nil
        }
        let ticks = Double(max(1, sysconf(Int32(_SC_CLK_TCK))))
        if let user = field(14), let system = field(15) { self.cpuSeconds = (user + system) / ticks }
        self.threads = field(20).flatMap { Int(exactly: $0) }
        self.virtualBytes = field(23)
        self.residentBytes = field(24).map { $0 * Double(sysconf(Int32(_SC_PAGESIZE))) }
        if let started = field(22), let boot = Self.bootTime { self.startedAt = boot + started / ticks }
    }

    private static let bootTime: Double? = {
        let stat = try? String(contentsOfFile: "/proc/stat", encoding: .utf8)
        let line = stat?.split(separator: "\n").first { $0.hasPrefix("btime ") }
        return line.flatMap { Double($0.dropFirst("btime ".count)) }
    }()

    private static var descriptorLimit: Int? {
        var limit = rlimit()
        #if canImport(Glibc)
            let failed = getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) != 0
        #else
            let failed = getrlimit(RLIMIT_NOFILE, &limit) != 0
        #endif
        return failed ? nil : Int(exactly: limit.rlim_cur)
    }

    package var families: [MetricFamily] {
        [
            self.cpuSeconds.map {
                MetricFamily(.counter, "process_cpu_seconds_total", $0, "User and system CPU time spent.")
            },
            self.residentBytes.map {
                MetricFamily(.gauge, "process_resident_memory_bytes", $0, "Resident memory.")
            },
            self.virtualBytes.map {
                MetricFamily(.gauge, "process_virtual_memory_bytes", $0, "Virtual memory.")
            },
            self.openDescriptors.map {
                MetricFamily(.gauge, "process_open_fds", Double($0), "Open file descriptors.")
            },
            self.maxDescriptors.map {
                MetricFamily(.gauge, "process_max_fds", Double($0), "The limit of open file descriptors.")
            },
            self.threads.map { MetricFamily(.gauge, "process_threads", Double($0), "Threads.") },
            self.startedAt.map {
                MetricFamily(
                    .gauge, "process_start_time_seconds", $0, "When the process started, since 1970.")
            },
        ].compactMap { $0 }
    }
}
