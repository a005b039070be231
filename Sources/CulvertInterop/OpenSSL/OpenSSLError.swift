internal import COpenSSL

/// A call into OpenSSL that failed, with all that its error queue had to say.
package struct OpenSSLError: Error, Hashable, Sendable, CustomStringConvertible {
    /// What was tried, in our words.
    package let operation: String
    /// The queue's entries, oldest first; empty when OpenSSL gave no reason.
    package let reasons: [String]

    /// Takes the entries off the calling thread's queue, which is empty after that.
    init(_ operation: String) {
        self.operation = operation
        var reasons: [String] = []
        while true {
            var detail: UnsafePointer<CChar>?
            var flags: Int32 = 0
            let code = ERR_get_error_all(nil, nil, nil, &detail, &flags)
            if code == 0 { break }
            // 256: what the manual of ERR_error_string_n asks for at least.
            var text = [CChar](repeating: 0, count: 256)
            ERR_error_string_n(code, &text, text.count)
            var reason = text.withUnsafeBufferPointer { $0.baseAddress.map { String(cString: $0) } ?? "" }
            if flags & ERR_TXT_STRING != 0, let detail, detail.pointee != 0 {
                reason += ": " + String(cString: detail)
            }
            reasons.append(reason)
        }
        self.reasons = reasons
    }

    package var description: String {
        reasons.isEmpty ? "\(operation) failed" : "\(operation) failed: \(reasons.joined(separator: "; "))"
    }
}

/// The object that OpenSSL made, or its reasons why not.
func made(
    _ operation: String, _ make: () -> OpaquePointer?
) throws(OpenSSLError) -> OpaquePointer {
    ERR_clear_error()
    guard let pointer = make() else { throw OpenSSLError(operation) }
    return pointer
}

/// Calls a function of OpenSSL that returns a positive number when it went well.
func check(_ operation: String, _ call: () -> Int32) throws(OpenSSLError) {
    ERR_clear_error()
    guard call() > 0 else { throw OpenSSLError(operation) }
}
