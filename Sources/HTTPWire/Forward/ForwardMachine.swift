internal import HTTPTypes
package import NIOCore

/// One forwarded request and its answer: two messages that pass each other, framed anew on the way.
///
/// The client's connection machine hands over behind the request's head and takes over again behind its body.
package struct ForwardMachine: Sendable {
    /// From the client to the origin.
    private enum Upload: Sendable {
        /// Waiting for `originConnected`; what comes is held.
        case held
        /// Leaves at the body's end.
        case sending(BodyRelay)
        /// What comes is the next request, and waits.
        case complete
        /// Its body cannot be read: nobody knows where the next request begins.
        case broken
    }

    /// From the origin to the client.
    private enum Download: Sendable {
        /// Waiting for `originConnected`.
        case idle
        /// Waiting for the final head. `isUntouched` until the first byte.
        case readingHead(HeadParser, ByteBuffer, interim: Int, isUntouched: Bool)
        /// Waiting for the answer to an offer, ahead of the request.
        case readingOfferAnswer(HeadParser, ByteBuffer, interim: Int)
        /// Reading a 407 to its end. The request is sent.
        case readingRefusal(RefusalReader, ByteBuffer, challenges: [String])
        /// Leaves at the body's end.
        case body(BodyRelay, ByteBuffer, ForwardEnd.Origin, keepsClient: Bool)
        /// Finished, failed or a tunnel.
        case done
    }

    /// Origins send one 100, and 103 or 102 a few times; the bound only stops one that sends them for ever.
    private static let maxInterim = 64
    /// Room for a head, in octets: most have less.
    private static let usualHead = 512

    package let request: ForwardRequest
    private let pseudonym: String
    private let limits: HTTPLimits
    private let maxHeld: Int
    private var hop = ForwardHop.origin
    private var connectionIsReused = false
    /// What went out of the body, as it went, while a parent may still ask for credentials; nil when it was too much.
    private var sent: ByteBuffer? = ByteBuffer()
    private var upload = Upload.held
    private var download = Download.idle
    /// The client's bytes that are not yet of use.
    private var inbox: ByteBuffer
    private var inputClosed: Bool
    private var awaitsContinue: Bool
    /// The client's answer has no framing.
    private var endsByClose = false
    /// The status that went to the client; nil before its final head.
    package private(set) var status: Int?

    /// - Parameters:
    ///   - early: what came behind the request's head.
    ///   - maxHeld: how much may wait, in octets. 64 KiB: some pipelined requests, or the start of a body.
    package init(
        _ request: ForwardRequest, early: ByteBuffer, inputClosed: Bool, pseudonym: String,
        limits: HTTPLimits = .answer, maxHeld: Int = 64 << 10
    ) {
        self.request = request
        self.pseudonym = pseudonym
        self.limits = limits
        self.maxHeld = maxHeld
        self.inputClosed = inputClosed
        inbox = early
        awaitsContinue = request.expectsContinue
    }

    /// Whether time passes at the client's expense: the next piece of a body is its to send.
    package var waitsForClient: Bool {
        if case .sending = upload { takesBody && !awaitsContinue && status == nil } else { false }
    }

    /// A connection stands.
    ///
    /// - Parameter isReused: another request was answered on it before.
    /// - Returns: what goes out on it first.
    package mutating func originConnected(_ hop: ForwardHop, isReused: Bool) -> ForwardClientAction {
        self.hop = hop
        connectionIsReused = isReused
        let parser = HeadParser(mode: .lenient, limits: limits)
        var output = ByteBuffer()
        output.reserveCapacity(Self.usualHead)
        if case .parentToChallenge(let offer) = hop, request.framing != .none {
            download = .readingOfferAnswer(parser, ByteBuffer(), interim: 0)
            request.serializeOffer(into: &output, offer, pseudonym: pseudonym)
            return .send(output)
        }
        download = .readingHead(parser, ByteBuffer(), interim: 0, isUntouched: true)
        request.serialize(into: &output, to: hop, pseudonym: pseudonym)
        if request.framing == .none {
            upload = .complete
            return .send(output)
        }
        // The head is the first buffer's start: a body that came with it needs no second packet.
        if case .held = upload {
        } else {
            // Once more, with credentials.
            if var sent { output.writeBuffer(&sent) }
            return relayUpload(into: output)
        }
        upload = .sending(BodyRelay(request.framing, as: request.framing == .chunked ? .chunked : .identity))
        return relayUpload(into: output)
    }

    package mutating func receiveFromClient(_ bytes: ByteBuffer) -> ForwardClientAction {
        inbox.append(bytes)
        switch upload {
        case .broken:
            return .needMore
        case .sending where !takesBody, .held, .complete:
            return inbox.readableBytes > maxHeld ? .pauseReading : .needMore
        case .sending:
            awaitsContinue = false
            return relayUpload(into: ByteBuffer())
        }
    }

    /// The client sent its FIN: behind a whole request it still wants the answer.
    package mutating func clientClosed() -> ForwardClientAction {
        inputClosed = true
        switch upload {
        case .complete, .broken: return .needMore
        case .held where request.framing == .none: return .needMore
        case .held, .sending:
            return .fail(failure(Self.truncated))
        }
    }

    /// - Parameter now: seconds since 1970.
    package mutating func receiveFromOrigin(_ bytes: ByteBuffer, now: Int64) -> ForwardOriginAction {
        switch download {
        case .idle, .done:
            return .needMore
        case .readingHead(let parser, var buffer, let interim, _):
            download = .done  // Gives up the stored buffer, so that appending copies nothing.
            buffer.append(bytes)
            return readHeads(parser, buffer, interim: interim, now: now)
        case .readingOfferAnswer(let parser, var buffer, let interim):
            download = .done
            buffer.append(bytes)
            return readOfferAnswer(parser, buffer, interim: interim)
        case .readingRefusal(let reader, var buffer, let challenges):
            download = .done
            buffer.append(bytes)
            return readRefusal(reader, buffer, challenges)
        case .body(let relay, var buffer, let origin, let keepsClient):
            download = .done
            buffer.append(bytes)
            return relayDownload(relay, buffer, into: ByteBuffer(), origin, keepsClient: keepsClient)
        }
    }

    /// The origin sent its FIN, or its connection broke.
    ///
    /// - Parameter isClean: a FIN, which ends a body without framing; a reset does not.
    package mutating func originClosed(isClean: Bool) -> ForwardOriginAction {
        switch download {
        case .idle, .done:
            return .needMore
        case .readingHead(_, _, _, let isUntouched):
            if isUntouched, connectionIsReused, request.isRepeatable {
                (upload, download) = (.held, .idle)
                return .retry
            }
            return .fail(failure(isUntouched ? .originSilent : .originIncomplete))
        case .readingOfferAnswer(_, let buffer, _):
            return .fail(failure(buffer.readableBytes == 0 ? .originSilent : .originIncomplete))
        case .readingRefusal(_, _, let challenges):
            return challenged(challenges, keepsConnection: false)
        case .body(var relay, _, _, let keepsClient):
            download = .done
            var output = ByteBuffer()
            guard isClean, (try? relay.receiveEOF(into: &output)) != nil, relay.isComplete else {
                return .fail(cut("the origin closed inside its answer"))
            }
            return .finish(output, end(.close, keepsClient: keepsClient))
        }
    }

    /// No connection could be had, or a limit ran out.
    package mutating func failed(_ rejection: Rejection) -> ForwardFailure { failure(rejection) }
}

extension ForwardMachine {
    private mutating func relayUpload(into output: ByteBuffer) -> ForwardClientAction {
        guard case .sending(var relay) = upload else {
            return output.readableBytes > 0 ? .send(output) : .needMore
        }
        upload = .broken
        var output = output
        let before = output.readableBytes
        do {
            let isComplete = try relay.relay(&inbox, into: &output)
            remember(output, from: before)
            if !isComplete, inputClosed { return .fail(failure(Self.truncated)) }
            upload = isComplete ? .complete : .sending(relay)
        } catch {
            return .fail(failure(Rejection(error)))
        }
        return output.readableBytes > 0 ? .send(output) : .needMore
    }

    private mutating func remember(_ output: ByteBuffer, from offset: Int) {
        if case .origin = hop { return }
        guard var sent else { return }
        self.sent = nil
        guard
            let new = output.getSlice(at: output.readerIndex + offset, length: output.readableBytes - offset),
            sent.readableBytes + new.readableBytes <= maxHeld
        else { return }
        sent.writeImmutableBuffer(new)
        self.sent = sent
    }

    private mutating func readHeads(
        _ parser: HeadParser, _ bytes: ByteBuffer, interim: Int, now: Int64
    ) -> ForwardOriginAction {
        var (parser, buffer, interim, output) = (parser, bytes, interim, ByteBuffer())
        do {
            while let head = try parser.parseResponse(&buffer) {
                switch head.response.status.code {
                case 101:
                    return switchProtocols(head, buffer, output)
                case 100...199:
                    interim += 1
                    if interim > Self.maxInterim { return .fail(failure(.tooManyInterimAnswers)) }
                    // RFC 9110 §15.2: never to a client of HTTP/1.0.
                    if request.head.minorVersion >= 1 {
                        awaitsContinue = false
                        ForwardAnswer.serializeInterim(head, into: &output, pseudonym: pseudonym)
                    }
                case 407:
                    if case .origin = hop { return try answer(head, buffer, into: output, now: now) }
                    return refused(head, buffer, toMethod: request.head.method)
                default:
                    return try answer(head, buffer, into: output, now: now)
                }
            }
        } catch {
            return .fail(failure(.malformedAnswer(error)))
        }
        download = .readingHead(parser, buffer, interim: interim, isUntouched: false)
        return output.readableBytes > 0 ? .send(output) : .needMore
    }

    private mutating func answer(
        _ head: ResponseHead, _ buffer: ByteBuffer, into output: ByteBuffer, now: Int64
    ) throws(WireError) -> ForwardOriginAction {
        let answer = try ForwardAnswer(head, to: request, isRequestSent: isRequestSent)
        var output = output
        // A short body goes out with its head, in one packet.
        output.reserveCapacity(Self.usualHead + min(buffer.readableBytes, Self.usualHead * 8))
        let minor = request.head.minorVersion
        answer.serialize(into: &output, clientMinorVersion: minor, pseudonym: pseudonym, now: now)
        status = head.response.status.code
        endsByClose = !answer.isDelimited
        let binds = answer.bindsConnection || request.bindsConnection
        let origin: ForwardEnd.Origin = !answer.keepsOrigin ? .close : binds ? .bound : .reusable
        let relay = BodyRelay(answer.framing, as: answer.coding)
        return relayDownload(relay, buffer, into: output, origin, keepsClient: answer.keepsClient)
    }

    private mutating func relayDownload(
        _ relay: BodyRelay, _ bytes: ByteBuffer, into output: ByteBuffer, _ origin: ForwardEnd.Origin,
        keepsClient: Bool
    ) -> ForwardOriginAction {
        var (relay, buffer, output) = (relay, bytes, output)
        do {
            guard try relay.relay(&buffer, into: &output) else {
                download = .body(relay, buffer, origin, keepsClient: keepsClient)
                return output.readableBytes > 0 ? .send(output) : .needMore
            }
        } catch {
            // Part of this buffer may be good; the client must not take it for all.
            return .fail(cut("the origin's answer is malformed: \(error)"))
        }
        // Bytes behind the answer belong to nothing we asked for: trust the connection no further.
        return .finish(output, end(buffer.readableBytes == 0 ? origin : .close, keepsClient: keepsClient))
    }

    /// RFC 9110 §7.8: only to what was asked for.
    private mutating func switchProtocols(
        _ head: ResponseHead, _ buffer: ByteBuffer, _ output: ByteBuffer
    ) -> ForwardOriginAction {
        guard request.wantsWebSocket, head.response.headerFields.tokens(.upgrade) == ["websocket"] else {
            return .fail(failure(.unaskedUpgrade))
        }
        var output = output
        ForwardAnswer.serializeUpgrade(head, into: &output, pseudonym: pseudonym)
        status = 101
        return .tunnel(
            response: output, fromClient: inbox, fromOrigin: buffer.slice(), inputClosed: inputClosed)
    }

    private mutating func readOfferAnswer(
        _ parser: HeadParser, _ bytes: ByteBuffer, interim: Int
    ) -> ForwardOriginAction {
        var (parser, buffer, interim) = (parser, bytes, interim)
        do {
            while let head = try parser.parseResponse(&buffer) {
                switch head.response.status.code {
                case 407:
                    return refused(head, buffer, toMethod: .head)
                case 100...199:
                    interim += 1
                    if interim > Self.maxInterim { return .fail(failure(.tooManyInterimAnswers)) }
                default:
                    download = .idle
                    return .offerIgnored(keepsConnection: head.keepsConnection && buffer.readableBytes == 0)
                }
            }
        } catch {
            return .fail(failure(.malformedAnswer(error)))
        }
        download = .readingOfferAnswer(parser, buffer, interim: interim)
        return .needMore
    }

    /// A 407 behind which the connection may go on is read to its end.
    private mutating func refused(
        _ head: ResponseHead, _ buffer: ByteBuffer, toMethod method: HTTPRequest.Method
    ) -> ForwardOriginAction {
        let challenges = head.response.headerFields[values: .proxyAuthenticate].filter { !$0.isEmpty }
        let reader = RefusalReader(head, toMethod: method, maxKept: 0)
        let isSent = isRequestSent || isOffer
        guard reader.mayPersist, isSent else { return challenged(challenges, keepsConnection: false) }
        return readRefusal(reader, buffer, challenges)
    }

    private mutating func readRefusal(
        _ reader: RefusalReader, _ bytes: ByteBuffer, _ challenges: [String]
    ) -> ForwardOriginAction {
        var (reader, buffer) = (reader, bytes)
        switch reader.receive(&buffer) {
        case .needMore:
            download = .readingRefusal(reader, buffer, challenges: challenges)
            return .needMore
        case .done(_, let keepsConnection):
            return challenged(challenges, keepsConnection: keepsConnection)
        }
    }

    private mutating func challenged(
        _ challenges: [String], keepsConnection: Bool
    ) -> ForwardOriginAction {
        let canRepeat = request.framing == .none || sent != nil
        download = canRepeat ? .idle : .done
        return .challenged(challenges, canRepeat: canRepeat, keepsConnection: keepsConnection)
    }

    /// What went out last is a HEAD ahead of the request.
    private var isOffer: Bool {
        if case .parentToChallenge = hop { request.framing != .none } else { false }
    }

    /// The request's head is out, and no 407 has come back.
    private var takesBody: Bool {
        switch download {
        case .idle, .readingOfferAnswer, .readingRefusal: false
        case .readingHead, .body, .done: true
        }
    }

    private var isRequestSent: Bool { if case .complete = upload { true } else { false } }

    private func end(_ origin: ForwardEnd.Origin, keepsClient: Bool) -> ForwardEnd {
        ForwardEnd(
            origin: origin, keepsClient: keepsClient, leftover: inbox.slice(), inputClosed: inputClosed)
    }

    private mutating func failure(_ rejection: Rejection) -> ForwardFailure {
        download = .done
        guard status == nil else { return cut(rejection.reason) }
        status = rejection.status
        // Held bytes of a body are no request.
        let isRead = isRequestSent || request.framing == .none
        return .refuse(
            rejection, leftover: isRead ? inbox.slice() : ByteBuffer(), inputClosed: inputClosed,
            mayPersist: isRead && request.head.keepsConnection)
    }

    private mutating func cut(_ reason: String) -> ForwardFailure {
        download = .done
        return .cut(reason: reason, byReset: endsByClose)
    }

    private static let truncated = Rejection(
        WireError(.unexpectedEOF, "the connection closed inside a body"))
}

extension ByteBuffer {
    /// Appends without a copy where nothing waits.
    package mutating func append(_ bytes: ByteBuffer) {
        if readableBytes == 0 { self = bytes } else { writeImmutableBuffer(bytes) }
    }
}
