import Foundation

/// `print` keeps a line back while the output is a pipe.
func printNow(_ line: String) {
    FileHandle.standardOutput.write(Data((line + "\n").utf8))
}
