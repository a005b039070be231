internal import HTTPTypes
internal import HTTPWire

/// What a 101 agreed to, after every check of RFC 6455 §4.1.
struct UpgradeAnswer: Sendable {
    let subprotocol: String?
    /// Each with its parameters, in the server's order.
    let extensions: [String]
    /// What the answer to our offer of compression makes of it.
    let deflate: PerMessageDeflate?

    static func check(
        _ answer: ResponseHead, key: HandshakeKey, subprotocols: [String], extensions: Set<String>,
        compression: WebSocketCompression
    ) throws(HandshakeFailure) -> UpgradeAnswer {
        let response = answer.response
        let fields = response.headerFields
        do throws(Broken) {
            guard answer.minorVersion >= 1 else { throw Broken(.version) }
            try checkUpgrade(fields)
            try checkAccept(fields, key)
            let subprotocol = try subprotocol(fields, offered: subprotocols)
            let extensions = try agreed(fields, offered: extensions)
            return UpgradeAnswer(
                subprotocol: subprotocol, extensions: extensions,
                deflate: try deflate(extensions, compression))
        } catch {
            throw HandshakeFailure(error.reason, response: response)
        }
    }

    /// A broken rule, before the head is added to it.
    private struct Broken: Error {
        let reason: HandshakeFailure.Reason

        init(_ reason: HandshakeFailure.Reason) {
            self.reason = reason
        }
    }

    private static func checkUpgrade(_ fields: HTTPFields) throws(Broken) {
        let upgrades = FieldList.elements(.upgrade, in: fields)
        if upgrades.isEmpty { throw Broken(.upgradeMissing) }
        guard upgrades.count == 1, upgrades.first?.lowercased() == "websocket" else {
            throw Broken(.upgradeWrong)
        }
        guard FieldList.contains("upgrade", .connection, in: fields) else { throw Broken(.connectionMissing) }
    }

    private static func checkAccept(_ fields: HTTPFields, _ key: HandshakeKey) throws(Broken) {
        let accepts = fields[values: .secWebSocketAccept]
        if accepts.count > 1 { throw Broken(.severalAccepts) }
        guard let accept = accepts.first else { throw Broken(.acceptMissing) }
        guard accept == key.accept else { throw Broken(.acceptWrong) }
    }

    /// None is the server's right; one that was not offered, or two, is not. Compared in their exact case.
    private static func subprotocol(_ fields: HTTPFields, offered: [String]) throws(Broken) -> String? {
        let lines = fields[values: .secWebSocketProtocol]
        if lines.count > 1 { throw Broken(.severalSubprotocols) }
        guard let line = lines.first else { return nil }
        let names = FieldList.split(line)
        if names.count > 1 { throw Broken(.severalSubprotocols) }
        guard let name = names.first, offered.contains(name) else {
            throw Broken(.subprotocolNotOffered(names.first ?? ""))
        }
        return name
    }

    private static func agreed(_ fields: HTTPFields, offered: Set<String>) throws(Broken) -> [String] {
        let extensions = FieldList.elements(.secWebSocketExtensions, in: fields)
        for text in extensions {
            let name = FieldList.name(ofExtension: text)
            guard FieldList.isToken(name) else { throw Broken(.extensionMalformed(text)) }
            guard offered.contains(name) else { throw Broken(.extensionNotOffered(name)) }
        }
        return extensions
    }

    private static func deflate(
        _ extensions: [String], _ compression: WebSocketCompression
    ) throws(Broken) -> PerMessageDeflate? {
        guard case .deflate(let options) = compression else { return nil }
        let answers = extensions.filter { FieldList.name(ofExtension: $0) == DeflateTerms.name }
        guard let text = answers.first else { return nil }
        guard answers.count == 1 else { throw Broken(.compressionWrong("it comes twice")) }
        do throws(DeflateTerms.Malformed) {
            return PerMessageDeflate(role: .client, try options.check(answer: text), options: options)
        } catch {
            throw Broken(.compressionWrong(error.detail))
        }
    }
}
