/// The answers to requests whose origin does not do its part.
extension Rejection {
    static let originSilent = Rejection(
        status: 502, reason: "the origin closed before it answered",
        text: "The server closed the connection without an answer.", error: .connectionTerminated)

    static let originIncomplete = Rejection(
        status: 502, reason: "the origin closed inside the head of its answer",
        text: "The server closed the connection inside its answer.", error: .responseIncomplete)

    static let tooManyInterimAnswers = Rejection(
        status: 502, reason: "the origin sends interim answers without end",
        text: "The server's answer is not valid HTTP.", error: .protocolError)

    static let unaskedUpgrade = Rejection(
        status: 502, reason: "the origin switched to a protocol that was not asked for",
        text: "The server switched to a protocol that was not asked for.", error: .upgradeFailed)

    static func malformedAnswer(_ error: WireError) -> Rejection {
        let name: ProxyError =
            switch error.code {
            case .headTooLarge, .lineTooLong, .startLineTooLong, .tooManyFields: .responseHeadTooLarge
            case .unsupportedTransferCoding: .responseTransferCoding
            default: .protocolError
            }
        return Rejection(
            status: 502, reason: "the origin's answer is malformed: \(error)",
            text: "The server's answer is not valid HTTP: \(error.detail).", error: name)
    }

    /// The next piece of a body did not come.
    package static let slowBody = Rejection(
        status: 408, reason: "slow request body", text: "The request's body took too long to arrive.")

    /// The origin says nothing.
    package static let slowAnswer = Rejection(
        status: 504, reason: "slow answer", text: "The server took too long to answer.",
        error: .responseTimeout)

    static let loop = Rejection(
        status: 508, reason: "the request came through this proxy before",
        text: "This proxy has passed this request on before.", error: .loopDetected)
}
