import CSpawn
package import Foundation

/// A program that was started by itself, in a process group of its own: it inherits no descriptor but its three
/// streams. Foundation's `Process` hands a child what other threads open while it starts, be it the pipe or the sign
/// of life of another child, whose end then nobody sees before this one ends too.
///
/// Whoever starts one calls ``wait()`` in the end.
package struct SpawnedProcess: Sendable {
    package enum Exit: Sendable, Equatable {
        case status(CInt)
        /// A signal's number.
        case signal(CInt)
    }

    package let pid: CInt

    /// - Parameters:
    ///   - program: a path; no search.
    ///   - environment: our own when nil.
    ///   - input, output, errors: descriptors, which stay the caller's; the null device when nil.
    package init(
        _ program: String,
        _ arguments: [String],
        environment: [String: String]? = nil,
        input: FileHandle? = nil,
        output: FileHandle? = nil,
        errors: FileHandle? = nil
    ) throws {
        let streams = [input, output, errors].map { $0?.fileDescriptor ?? -1 }
        var pid: pid_t = 0
        let error = Self.withPointers([program] + arguments) { arguments in
            guard let environment else {
                return culvert_spawn(&pid, program, arguments, nil, streams)
            }
            return Self.withPointers(environment.map { "\($0.key)=\($0.value)" }) { environment in
                culvert_spawn(&pid, program, arguments, environment, streams)
            }
        }
        guard error == 0 else { throw SpawnError(number: error) }
        self.pid = pid
    }

    /// Blocks until it has ended. Once: its number may be another's afterwards. Nil when somebody else has asked for
    /// its end before, as the system itself does for a program that ignores SIGCHLD.
    package func wait() -> Exit? {
        let result = culvert_wait(self.pid)
        guard result != CInt.min else { return nil }
        return result < 0 ? .signal(-result) : .status(result)
    }

    /// As C has them: strings behind pointers, and a null pointer at the end.
    private static func withPointers<Result>(
        _ strings: [String], _ body: ([UnsafeMutablePointer<CChar>?]) -> Result
    ) -> Result {
        let pointers = strings.map { strdup($0) }
        defer { for pointer in pointers { free(pointer) } }
        return body(pointers + [nil])
    }
}

/// Why a program could not be started, in the system's words.
package struct SpawnError: Error, CustomStringConvertible {
    package let number: CInt

    package var description: String { String(cString: strerror(self.number)) }
}

/// A pipe to or from a child; only the end that is given to it by name gets there.
package struct ChildPipe: Sendable {
    package let reading: FileHandle
    package let writing: FileHandle

    package init() throws {
        var descriptors: [CInt] = [-1, -1]
        let error = culvert_child_pipe(&descriptors)
        guard error == 0 else { throw SpawnError(number: error) }
        self.reading = FileHandle(fileDescriptor: descriptors[0], closeOnDealloc: true)
        self.writing = FileHandle(fileDescriptor: descriptors[1], closeOnDealloc: true)
    }
}
