import Foundation

/// The Python that peers from PyPI run on.
package enum PeerPython {
    /// `CULVERT_PYTHON`, the virtual environment that Tests/install.sh makes in the package, or the system's.
    package static let path: String = {
        if let path = ProcessInfo.processInfo.environment["CULVERT_PYTHON"] { return path }
        // The program is in .build/…/debug; the environment in .build/peers.
        var folder = Bundle.main.bundleURL.resolvingSymlinksInPath()
        while folder.path != "/" {
            let candidate = folder.appendingPathComponent("peers/venv/bin/python").path
            if folder.lastPathComponent == ".build" {
                return FileManager.default.isExecutableFile(atPath: candidate) ? candidate : "python3"
            }
            folder.deleteLastPathComponent()
        }
        return "python3"
    }()
}
