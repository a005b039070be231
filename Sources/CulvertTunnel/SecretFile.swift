import Foundation
import Spawn

#if canImport(Darwin)
    import Darwin
#elseif canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// A file with a secret in it: one that others can read is refused, as ssh does.
enum SecretFile {
    /// More than any line of credentials, and than any netrc file.
    private static let limit = 64 * 1024

    static func read(_ path: String) throws(ProxyCredentialError) -> String {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else {
            throw ProxyCredentialError("\(path): \(String(cString: strerror(errno)))")
        }
        let handle = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
        var status = stat()
        // Asked of the open file: the name may lead elsewhere by now.
        guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
            throw ProxyCredentialError("\(path): not a regular file")
        }
        guard status.st_mode & 0o077 == 0 else {
            throw ProxyCredentialError("\(path): others can read it; chmod 600 \(path)")
        }
        do {
            let data = try handle.read(upToCount: Self.limit) ?? Data()
            guard let text = String(data: data, encoding: .utf8) else {
                throw ProxyCredentialError("\(path): not UTF-8")
            }
            return text
        } catch let error as ProxyCredentialError {
            throw error
        } catch {
            throw ProxyCredentialError("\(path): \(error.localizedDescription)")
        }
    }
}

/// A command that prints a secret.
enum SecretCommand {
    static func run(_ command: String) throws(ProxyCredentialError) -> String {
        let data: Data
        let exit: SpawnedProcess.Exit?
        do {
            let output = try ChildPipe()
            let process = try SpawnedProcess(
                "/bin/sh", ["-c", command], output: output.writing, errors: .standardError)
            try output.writing.close()
            // Read or not, it is waited for.
            let result = Result { try output.reading.readToEnd() ?? Data() }
            exit = process.wait()
            data = try result.get()
        } catch {
            throw ProxyCredentialError("the command for the credentials cannot be run: \(error)")
        }
        switch exit {
        case .status(0), nil: return String(decoding: data, as: UTF8.self)
        case .status(let status):
            throw ProxyCredentialError("the command for the credentials ended with status \(status)")
        case .signal(let number):
            throw ProxyCredentialError("the command for the credentials was ended by signal \(number)")
        }
    }
}
