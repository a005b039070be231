/// What is wrong with the peer's bytes.
package struct WireError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The rule that was broken.
    package enum Code: String, Hashable, Sendable, CaseIterable {
        case startLineTooLong, lineTooLong, headTooLarge, tooManyFields
        case malformedStartLine, unsupportedVersion
        case malformedField, obsFold, bareLineFeed, bareCarriageReturn
        case conflictingFraming, unsupportedTransferCoding, malformedContentLength
        case malformedChunk, trailersTooLarge, bodyTooLarge
        case unexpectedEOF
    }

    package let code: Code
    /// A sentence for the log: no raw control characters, and no field value.
    package let detail: String

    package init(_ code: Code, _ detail: String) {
        self.code = code
        self.detail = detail
    }

    package var description: String { "\(code.rawValue): \(detail)" }
}
