/// Who asks for what, and what may be answered (RFC 7692 §5, §7.1).
extension WebSocketDeflateOptions {
    /// A client's offer. It always says that the server may limit our window, as every browser does.
    var offer: DeflateTerms {
        var terms = DeflateTerms()
        terms.serverNoContextTakeover = !keepsIncomingContext
        terms.clientNoContextTakeover = !keepsOutgoingContext
        terms.serverMaxWindowBits = incomingWindowBits < 15 ? incomingWindowBits : nil
        terms.clientMaxWindowBits = outgoingWindowBits < 15 ? .bits(outgoingWindowBits) : .any
        return terms
    }

    /// Checks a server's answer against ``offer``.
    func check(answer text: String) throws(DeflateTerms.Malformed) -> WebSocketDeflateParameters {
        let answer = try DeflateTerms(text)
        if !keepsIncomingContext, !answer.serverNoContextTakeover {
            throw .init(detail: "it does not grant server_no_context_takeover")
        }
        // Without a value in the offer the server may still bind itself (§7.1.2.1).
        if incomingWindowBits < 15 {
            guard let bits = answer.serverMaxWindowBits, bits <= incomingWindowBits else {
                throw .init(detail: "it does not grant server_max_window_bits=\(incomingWindowBits)")
            }
        }
        switch answer.clientMaxWindowBits {
        case .unsaid: break
        case .any: throw .init(detail: "client_max_window_bits has no value")
        case .bits(let bits):
            if bits > outgoingWindowBits {
                throw .init(detail: "it allows a larger client window than was offered")
            }
        }
        return WebSocketDeflateParameters(answer, clientForgets: !keepsOutgoingContext)
    }

    /// A server's answer to the first of a client's offers that can be accepted; nil when none can. An offer with an
    /// unknown, doubled or malformed parameter is passed over (§7.1).
    func accept(offers: [String]) -> WebSocketDeflateParameters? {
        for text in offers where FieldList.name(ofExtension: text) == DeflateTerms.name {
            if let offer = try? DeflateTerms(text) { return WebSocketDeflateParameters(answer(to: offer)) }
        }
        return nil
    }

    private func answer(to offer: DeflateTerms) -> DeflateTerms {
        var answer = DeflateTerms()
        answer.serverNoContextTakeover = offer.serverNoContextTakeover || !keepsOutgoingContext
        // A client that says it will forget is taken at its word: its context need not be held here.
        answer.clientNoContextTakeover = offer.clientNoContextTakeover || !keepsIncomingContext
        if let bits = offer.serverMaxWindowBits {
            answer.serverMaxWindowBits = min(bits, outgoingWindowBits)
        } else if outgoingWindowBits < 15 {
            answer.serverMaxWindowBits = outgoingWindowBits
        }
        switch offer.clientMaxWindowBits {
        // §7.1.2.2: a client that did not name the parameter must not be asked for it.
        case .unsaid: break
        case .any: if incomingWindowBits < 15 { answer.clientMaxWindowBits = .bits(incomingWindowBits) }
        case .bits(let bits): answer.clientMaxWindowBits = .bits(min(bits, incomingWindowBits))
        }
        return answer
    }
}
