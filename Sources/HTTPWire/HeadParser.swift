internal import HTTPTypes
package import NIOCore

/// The one bounded parser of HTTP/1 heads, for requests and responses.
///
/// Lines are checked as they arrive, so a head that goes wrong early is refused early, and the same bytes
/// give the same result however they are cut into packets.
package struct HeadParser: Sendable {
    /// How much to forgive.
    package enum Mode: Sendable {
        /// Serving: CRLF only, no folding, no blank before a colon, HTTP/1.0 or 1.1, at most one blank line first.
        case strict
        /// Reading an answer: LF alone, blank lines first, folded fields (joined by a space), lines without
        /// a colon (skipped), a missing reason phrase. The limits hold all the same.
        case lenient
    }

    private let mode: Mode
    private let limits: HTTPLimits
    private var state = Progress()

    package init(mode: Mode, limits: HTTPLimits) {
        self.mode = mode
        self.limits = limits
    }

    /// Parses a request head, or returns `nil` when more bytes are needed.
    ///
    /// Nothing is taken from `buffer` until the whole head is there, then exactly the head. Between calls
    /// the caller only appends to `buffer`.
    package mutating func parseRequest(_ buffer: inout ByteBuffer) throws(WireError) -> RequestHead? {
        guard case .request(let head)? = try parse(&buffer, .request) else { return nil }
        return head
    }

    /// Parses a response head, or returns `nil` when more bytes are needed. As `parseRequest`.
    package mutating func parseResponse(_ buffer: inout ByteBuffer) throws(WireError) -> ResponseHead? {
        guard case .response(let head)? = try parse(&buffer, .response) else { return nil }
        return head
    }
}

extension HeadParser {
    private enum Kind: Sendable { case request, response }

    private enum Head: Sendable {
        case request(RequestHead)
        case response(ResponseHead)
    }

    /// What is known of the head so far. Offsets count from the buffer's reader index.
    private struct Progress {
        /// Where the current line begins.
        var lineStart = 0
        /// How far line feeds were looked for.
        var scanned = 0
        /// The head without its fields, once the start line came.
        var head: Head?
        var blankLines = 0
        var lines = 0
        var fields = HTTPFields()
        var isSkippingFolds = true
        var failure: WireError?
    }

    private mutating func parse(
        _ buffer: inout ByteBuffer, _ kind: Kind
    ) throws(WireError) -> Head? {
        if let failure = state.failure { throw failure }
        do {
            return try advance(&buffer, kind)
        } catch {
            state.failure = error
            throw error
        }
    }

    private mutating func advance(
        _ buffer: inout ByteBuffer, _ kind: Kind
    ) throws(WireError) -> Head? {
        // By pointer: every slice of a view would count references.
        let isComplete = try buffer.withUnsafeReadableBytes { (bytes) throws(WireError) in
            try readLines(bytes, kind)
        }
        guard isComplete, let head = state.head else { return nil }
        let complete = withFields(head)
        buffer.moveReaderIndex(forwardBy: state.lineStart)
        state = Progress()
        return complete
    }

    /// Returns whether the blank line came.
    private mutating func readLines(_ bytes: UnsafeRawBufferPointer, _ kind: Kind) throws(WireError) -> Bool {
        while true {
            let feed = bytes[state.scanned...].firstIndex(of: ASCII.lineFeed)
            let raw = UnsafeRawBufferPointer(rebasing: bytes[state.lineStart..<(feed ?? bytes.count)])
            let isStart = state.head == nil
            if isStart { try checkStart(raw, kind) }
            try checkLimits(raw.count, isComplete: feed != nil)
            guard let feed else {
                state.scanned = bytes.count
                return false
            }
            let line = try withoutCarriageReturn(raw)
            state.lineStart = feed + 1
            state.scanned = state.lineStart
            if !isStart {
                if line.isEmpty { return true }
                try takeField(line)
            } else if line.isEmpty {
                state.blankLines += 1
                // RFC 9112 §2.2: a server skips at least one blank line, for old clients' sake.
                if mode == .strict, state.blankLines > 1 {
                    throw WireError(.malformedStartLine, "more than one blank line before the start line")
                }
            } else {
                try takeStartLine(line, kind)
            }
        }
    }

    /// A browser's request, or a server's answer: room for that many at once, for more in steps.
    private static let usualFields = 12

    private mutating func takeStartLine(_ line: UnsafeRawBufferPointer, _ kind: Kind) throws(WireError) {
        switch kind {
        case .request:
            state.head = .request(try StartLine.request(line))
        case .response:
            state.head = .response(try StartLine.response(line, lenient: mode == .lenient))
        }
        state.fields.reserveCapacity(Self.usualFields)
    }

    private func withFields(_ head: Head) -> Head {
        switch head {
        case .request(var head):
            head.fields = state.fields
            return .request(head)
        case .response(var head):
            head.response.headerFields = state.fields
            return .response(head)
        }
    }

    /// Refuses what is not HTTP at its first octets, without waiting for a line that may never end.
    private func checkStart(_ line: UnsafeRawBufferPointer, _ kind: Kind) throws(WireError) {
        let isBlank = line.isEmpty || (line.count == 1 && line.first == ASCII.carriageReturn)
        guard !isBlank, !mayStart(line, kind) else { return }
        throw WireError(.malformedStartLine, "not HTTP: it begins with \"\(ASCII.escaped(line, limit: 40))\"")
    }

    private func checkLimits(_ lineLength: Int, isComplete: Bool) throws(WireError) {
        let total = state.lineStart + lineLength + (isComplete ? 1 : 0)
        // Whichever limit the bytes crossed first, so that the cut into packets changes nothing.
        if lineLength > limits.maxLineBytes, state.lineStart + limits.maxLineBytes < limits.maxHeadBytes {
            if state.head == nil {
                throw WireError(
                    .startLineTooLong, "the start line is longer than \(limits.maxLineBytes) octets")
            }
            throw WireError(.lineTooLong, "a field line is longer than \(limits.maxLineBytes) octets")
        }
        if total > limits.maxHeadBytes {
            if state.head == nil {
                throw WireError(
                    .startLineTooLong, "the start line is longer than \(limits.maxHeadBytes) octets")
            }
            throw WireError(.headTooLarge, "the head is larger than \(limits.maxHeadBytes) octets")
        }
    }

    private func withoutCarriageReturn(
        _ raw: UnsafeRawBufferPointer
    ) throws(WireError) -> UnsafeRawBufferPointer {
        var line = raw
        if raw.last == ASCII.carriageReturn {
            line = UnsafeRawBufferPointer(rebasing: raw.dropLast())
        } else if mode == .strict {
            throw WireError(.bareLineFeed, "a line ends in LF without CR")
        }
        if mode == .strict, line.contains(ASCII.carriageReturn) {
            throw WireError(.bareCarriageReturn, "a CR stands inside a line")
        }
        return line
    }

    private mutating func takeField(_ line: UnsafeRawBufferPointer) throws(WireError) {
        state.lines += 1
        if state.lines > limits.maxFields {
            throw WireError(.tooManyFields, "the head has more than \(limits.maxFields) field lines")
        }
        let isFolded = line.first.map(ASCII.isBlank) ?? false
        switch mode {
        case .strict:
            if isFolded { throw WireError(.obsFold, "a field is folded over several lines") }
            state.fields.append(try FieldLine.parse(line))
        case .lenient where isFolded:
            // A fold belongs to the line before it; when that one was skipped, so is this.
            guard !state.isSkippingFolds, let last = state.fields.popLast() else { return }
            let more = ASCII.trimmed(FieldLine.printable(line))
            let value = last.withUnsafeBytesOfValue { Array($0) } + [ASCII.space] + more
            state.fields.append(HTTPField(name: last.name, value: ASCII.trimmed(value)))
        case .lenient:
            let field = FieldLine.parseLeniently(line)
            state.isSkippingFolds = field == nil
            if let field { state.fields.append(field) }
        }
    }

    private func mayStart(_ line: UnsafeRawBufferPointer, _ kind: Kind) -> Bool {
        switch kind {
        case .request: line.first.map(ASCII.isTokenCharacter) ?? true
        case .response: "HTTP/".utf8.prefix(line.count).elementsEqual(line.prefix(5))
        }
    }
}
