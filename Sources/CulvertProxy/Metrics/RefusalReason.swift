/// Why a request was refused, in few words: a label that stays bounded.
package enum RefusalReason: String, Sendable, CaseIterable {
    case malformed
    case forbidden
    case notAllowed = "not_allowed"
    case authentication
    case timedOut = "timed_out"
    case tooLarge = "too_large"
    case limited
    case unreachable
    case loop
    case overloaded
    case failed

    package init(status: Int) {
        self =
            switch status {
            case 403: .forbidden
            case 405, 501: .notAllowed
            case 407: .authentication
            case 408, 504: .timedOut
            case 413, 414, 431: .tooLarge
            case 429: .limited
            case 400..<500, 505: .malformed
            case 502: .unreachable
            case 503: .overloaded
            case 508: .loop
            default: .failed
            }
    }
}
