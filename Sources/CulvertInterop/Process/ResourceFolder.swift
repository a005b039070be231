package import Foundation

/// Where the scenario file and the peers' scripts are.
///
/// Not `Bundle.module`, which ends the process when the folder was not installed with the program.
package enum ResourceFolder {
    /// - Throws: `MissingResources`.
    package static func find() throws -> URL {
        let program = Bundle.main.bundleURL
        let candidates = ["culvert_CulvertInterop.resources", "culvert_CulvertInterop.bundle"].map {
            program.appendingPathComponent($0).appendingPathComponent("Resources")
        }
        for folder in candidates
        where FileManager.default.fileExists(atPath: folder.appendingPathComponent("leash.py").path) {
            return folder
        }
        throw MissingResources(beside: program.path)
    }
}

/// The program was installed without its data.
package struct MissingResources: Error, CustomStringConvertible {
    let beside: String

    package var description: String {
        "the scenarios are missing: culvert_CulvertInterop.resources belongs beside the program, in \(self.beside)"
    }
}
