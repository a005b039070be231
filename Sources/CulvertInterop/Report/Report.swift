package import struct Foundation.Date

/// Everything a run found.
package struct Report: Sendable {
    package var date: Date
    /// Kernel, architecture, distribution.
    package var system: String
    /// Who took part, with versions: our own program first, then libraries, servers, proxies, clients.
    package var parts: [Part]
    package var sections: [Section]
    package var results: [CheckResult]
    package var duration: Duration
    /// The command line that was run, without secrets; empty where there was none.
    package var command: String
    /// Each peer was demanded: one that is missing is a failure of the run.
    package var requiresPeers: Bool

    /// A program or library that took part.
    package struct Part: Sendable, Hashable {
        package enum Kind: String, Sendable, Hashable, Codable, CaseIterable {
            case own, library, server, proxy, client, target
        }

        package var name: String
        /// As results name it in `row`, where it is one.
        package var title: String
        package var kind: Kind
        /// nil when it is missing.
        package var version: String?

        package init(name: String, title: String, kind: Kind, version: String?) {
            self.name = name
            self.title = title
            self.kind = kind
            self.version = version
        }
    }

    /// A matrix: rows and columns in the order of the scenario file, whether or not each has a result.
    package struct Section: Sendable, Hashable {
        package var name: String
        /// What it shows, as a heading.
        package var title: String
        package var rows: [String]
        package var columns: [String]

        package init(name: String, title: String, rows: [String], columns: [String]) {
            self.name = name
            self.title = title
            self.rows = rows
            self.columns = columns
        }
    }

    package init(
        date: Date, system: String, parts: [Part], sections: [Section], results: [CheckResult],
        duration: Duration, command: String = "", requiresPeers: Bool = false
    ) {
        self.date = date
        self.system = system
        self.parts = parts
        self.sections = sections
        self.results = results
        self.duration = duration
        self.command = command
        self.requiresPeers = requiresPeers
    }
}
