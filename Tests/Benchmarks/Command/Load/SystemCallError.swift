import Foundation

/// A system call that failed.
struct SystemCallError: Error, CustomStringConvertible {
    let call: String
    let code: CInt

    /// Takes the code from `errno`.
    init(_ call: String) {
        self.call = call
        self.code = errno
    }

    init(_ call: String, code: CInt) {
        self.call = call
        self.code = code
    }

    var description: String { "\(self.call): \(String(cString: strerror(self.code)))" }
}
