import Foundation

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
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/bin/sh")
        process.arguments = ["-c", command]
        let output = Pipe()
        process.standardOutput = output
        process.standardInput = FileHandle.nullDevice
        let data: Data
        do {
            try process.run()
            data = try output.fileHandleForReading.readToEnd() ?? Data()
        } catch {
            throw ProxyCredentialError(
                "the command for the credentials cannot be run: \(error.localizedDescription)")
        }
        process.waitUntilExit()
        guard process.terminationStatus == 0 else {
            throw ProxyCredentialError(
                "the command for the credentials ended with status \(process.terminationStatus)")
        }
        return String(decoding: data, as: UTF8.self)
    }
}
