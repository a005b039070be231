internal import HTTPTypes

/// The bound that TRACE and OPTIONS carry (RFC 9110 §7.6.2).
enum MaxForwards {
    /// What to forward with, or nil when the request has none. Other methods pass theirs on as it is.
    static func remaining(_ head: RequestHead) throws(MalformedRequest) -> UInt64? {
        guard head.method == .trace || head.method == .options, head.fields.contains(.maxForwards) else {
            return nil
        }
        let values = head.fields[values: .maxForwards]
        // 18 digits never overflow; more hops than that is no bound.
        guard values.count == 1, let text = values.first, (1...18).contains(text.utf8.count),
            text.utf8.allSatisfy(ASCII.isDigit), let number = UInt64(text)
        else { throw MalformedRequest(.badRequest("Max-Forwards is no number")) }
        return number
    }

    /// The answer of the last recipient: a request that may go no further ends here.
    static func answer(_ head: RequestHead) -> Rejection {
        guard head.method == .trace else {
            return Rejection(
                status: 200, reason: "Max-Forwards reached", text: "",
                fields: [.allow: "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS, TRACE, CONNECT"])
        }
        return Rejection(
            status: 200, reason: "Max-Forwards reached", text: echo(head),
            fields: [.contentType: "message/http"])
    }

    /// The request as it came, without what a script must not read back (RFC 9110 §9.3.8).
    private static func echo(_ head: RequestHead) -> String {
        let secrets: Set<HTTPField.Name> = [.authorization, .proxyAuthorization, .cookie]
        let lines = head.fields.filter { !secrets.contains($0.name) }.map {
            "\($0.name.rawName): \($0.value)\r\n"
        }
        return "\(head.method.rawValue) \(head.target) HTTP/1.\(head.minorVersion)\r\n\(lines.joined())\r\n"
    }
}
