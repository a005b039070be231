/// Why an exchange with a proxy ended without an HTTP answer to show.
package enum ConnectFailure: Error, Hashable, Sendable, CustomStringConvertible {
    /// The peer speaks something else: the start of what it sent, escaped.
    case notHTTP(String)
    /// It closed before or inside the head, after so many octets of it.
    case closed(afterBytes: Int)
    /// The head is malformed or too large.
    case wire(WireError)
    /// 101: CONNECT asks for no upgrade (RFC 9110 §15.2.2).
    case switchedProtocols
    /// More interim (1xx) answers than any proxy needs.
    case tooManyInterimAnswers(Int)
    /// Bytes when none may come: before the request, or behind an answer that ended.
    case unexpectedBytes(String)

    package var description: String {
        switch self {
        case .notHTTP(let start): "the proxy does not speak HTTP here: it sent \"\(start)\""
        case .closed(0): "the proxy closed the connection without an answer"
        case .closed(let count): "the proxy closed the connection after \(count) octets of its answer"
        case .wire(let error): "the proxy's answer is malformed: \(error.detail)"
        case .switchedProtocols: "the proxy answered 101 to CONNECT, which asks for no upgrade"
        case .tooManyInterimAnswers(let count): "the proxy sent more than \(count) interim answers"
        case .unexpectedBytes(let start): "the proxy sent \"\(start)\" when no answer was due"
        }
    }
}
