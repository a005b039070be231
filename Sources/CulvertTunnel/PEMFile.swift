/// A file with certificates or a key.
package enum PEMFile {
    /// Reads one; the error names what it is for and where it is.
    ///
    /// - Parameter what: `certificate`, `private key`.
    package static func load<Value>(
        _ what: String, _ path: String, _ read: (String) throws -> Value
    ) throws(TunnelError) -> Value {
        do {
            return try read(path)
        } catch {
            throw .configuration("the \(what) in \(path) cannot be read as PEM: \(error)", underlying: error)
        }
    }
}
