import HTTPTypes
import HTTPWire
import NIOCore

/// What must hold of a forwarded exchange for any octets of client and origin: each side gets messages that a strict
/// parser reads in one way, whatever the other side sent.
enum ForwardProperties {
    private struct Exchange {
        var toOrigin = ByteBuffer()
        var toClient = ByteBuffer()
        var end: ForwardEnd?
        var isOver = false
    }

    /// The first octet says how much of the rest is the client's, the second is made of switches.
    static func check(_ bytes: [UInt8]) {
        guard bytes.count > 2 else { return }
        let rest = bytes.dropFirst(2)
        let split = rest.startIndex + Int(bytes[0]) * rest.count / 256
        let (client, origin) = (Array(rest[..<split]), Array(rest[split...]))
        guard let whole = run(client, origin, switches: bytes[1], packet: max(1, rest.count)) else { return }
        checkRequest(whole)
        checkAnswer(whole)
        guard let drip = run(client, origin, switches: bytes[1], packet: 1) else {
            return require(false, "a request is forwarded the same byte by byte")
        }
        checkRequest(drip)
        checkAnswer(drip)
        // What comes at once may be refused at once, before anything went out.
        guard let sent = head(of: whole.toOrigin) else { return }
        require(sent == head(of: drip.toOrigin), "the origin gets the same head")
    }

    private static func run(
        _ client: [UInt8], _ origin: [UInt8], switches: UInt8, packet: Int
    ) -> Exchange? {
        var machine = ConnectServerMachine(requiresAuthentication: false, pseudonym: "fuzz")
        guard case .authorise = machine.receive(ByteBuffer(bytes: client)),
            case .forward(let request, let early, let inputClosed) = machine.authorised()
        else { return nil }
        var forward = ForwardMachine(
            request, early: packet == 1 ? ByteBuffer() : early, inputClosed: inputClosed, pseudonym: "fuzz",
            maxHeld: 64)
        let hop: ForwardHop =
            switch switches & 3 {
            case 1: .parent(authorization: nil)
            case 3: .parent(authorization: "Basic eA==")
            case 2 where switches & 16 != 0: .parentToChallenge(offer: "NTLM eA==")
            default: .origin
            }
        var exchange = Exchange()
        note(forward.originConnected(hop, isReused: switches & 4 != 0), &exchange)
        if packet == 1 {
            for byte in early.readableBytesView where !exchange.isOver {
                note(forward.receiveFromClient(ByteBuffer(bytes: [byte])), &exchange)
            }
        }
        for start in stride(from: 0, to: origin.count, by: packet) where !exchange.isOver {
            let piece = ByteBuffer(bytes: origin[start..<min(origin.count, start + packet)])
            note(forward.receiveFromOrigin(piece, now: 0), &exchange)
        }
        if !exchange.isOver { note(forward.originClosed(isClean: switches & 8 == 0), &exchange) }
        return exchange
    }

    private static func note(_ action: ForwardClientAction, _ exchange: inout Exchange) {
        switch action {
        case .needMore, .pauseReading: break
        case .send(let bytes): exchange.toOrigin.writeImmutableBuffer(bytes)
        case .fail(let failure): fail(failure, &exchange)
        }
    }

    private static func note(_ action: ForwardOriginAction, _ exchange: inout Exchange) {
        switch action {
        case .needMore: break
        case .send(let bytes): exchange.toClient.writeImmutableBuffer(bytes)
        case .finish(let bytes, let end):
            exchange.toClient.writeImmutableBuffer(bytes)
            (exchange.end, exchange.isOver) = (end, true)
        case .fail(let failure): fail(failure, &exchange)
        case .tunnel, .retry, .challenged, .offerIgnored: exchange.isOver = true
        }
    }

    private static func fail(_ failure: ForwardFailure, _ exchange: inout Exchange) {
        exchange.isOver = true
        switch failure {
        case .refuse(let rejection, _, _, _):
            require(
                rejection.reason.utf8.allSatisfy { $0 >= 0x20 && $0 != 0x7f }, "a reason is safe to log")
        case .cut(let reason, _):
            require(reason.utf8.allSatisfy { $0 >= 0x20 && $0 != 0x7f }, "a reason is safe to log")
        }
    }

    private static func head(of buffer: ByteBuffer) -> RequestHead? {
        var (buffer, parser) = (buffer, HeadParser(mode: .strict, limits: .answer))
        return try? parser.parseRequest(&buffer)
    }

    private static func checkRequest(_ exchange: Exchange) {
        guard exchange.toOrigin.readableBytes > 0 else { return }
        var (buffer, parser) = (exchange.toOrigin, HeadParser(mode: .strict, limits: .answer))
        guard let head = try? parser.parseRequest(&buffer) else {
            return require(false, "the origin gets a strict head")
        }
        require(head.fields[values: .host].count == 1, "one Host")
        require(head.fields.tokens(.connection).allSatisfy { $0 == "upgrade" }, "no hop-by-hop field passes")
        require(!(head.fields[.proxyAuthorization] ?? "Basic eA==").isEmpty, "only our own credentials pass")
        guard let framing = try? BodyFraming.of(request: head) else {
            return require(false, "the origin gets one framing")
        }
        var decoder = BodyDecoder(framing)
        while true {
            guard let event = try? decoder.decode(&buffer) else {
                return require(false, "the origin gets a well-formed body")
            }
            if case .data = event { continue }
            break
        }
        require(buffer.readableBytes == 0, "nothing goes out behind the request")
    }

    private static func checkAnswer(_ exchange: Exchange) {
        var (buffer, parser) = (exchange.toClient, HeadParser(mode: .strict, limits: .answer))
        while buffer.readableBytes > 0 {
            guard let head = try? parser.parseResponse(&buffer) else {
                return require(false, "the client gets a strict head")
            }
            if head.response.status.code < 200 { continue }
            let method = self.head(of: exchange.toOrigin)?.method ?? .get
            guard let framing = try? BodyFraming.of(response: head, toMethod: method, lenient: false) else {
                return require(false, "the client gets one framing")
            }
            var decoder = BodyDecoder(framing)
            while case .data? = try? decoder.decode(&buffer) {}
            guard let end = exchange.end else { return }
            require(framing == .untilClose || decoder.isComplete, "a finished answer is complete")
            require(!end.keepsClient || framing != .untilClose, "an answer that ends by closing closes")
            require(buffer.readableBytes == 0, "nothing goes out behind the answer")
            return
        }
    }
}
