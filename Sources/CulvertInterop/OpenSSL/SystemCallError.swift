#if canImport(Darwin)
    internal import Darwin
#elseif canImport(Glibc)
    internal import Glibc
#elseif canImport(Musl)
    internal import Musl
#endif

/// A call of the operating system that failed.
package struct SystemCallError: Error, Hashable, Sendable, CustomStringConvertible {
    /// Its name: `bind`.
    package let call: String
    /// As `errno` has it.
    package let code: Int32

    /// With the calling thread's `errno` unless another code is given.
    init(_ call: String, code: Int32 = errno) {
        self.call = call
        self.code = code
    }

    package var description: String { "\(call): \(String(cString: strerror(code)))" }
}
