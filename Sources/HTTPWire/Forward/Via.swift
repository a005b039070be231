package import HTTPTypes
internal import NIOCore

/// The trail of proxies in a message (RFC 9110 §7.6.3).
package enum Via {
    /// Whether the message came through the proxy of this pseudonym before.
    static func names(_ pseudonym: String, in fields: HTTPFields) -> Bool {
        guard fields.contains(.via) else { return false }
        return fields[values: .via].contains { value in
            value.utf8.split(separator: ASCII.comma).contains { member in
                // received-protocol SP received-by [ SP comment ]
                let words = member.split(whereSeparator: ASCII.isBlank)
                return words.count > 1 && Substring(words[1]).lowercased() == pseudonym.lowercased()
            }
        }
    }

    /// This proxy's member for a message that came as `HTTP/1.minorVersion`.
    package static func member(minorVersion: UInt8, _ pseudonym: String) -> String {
        "1.\(minorVersion) \(pseudonym)"
    }

    /// Appends our line behind those of the proxies before.
    static func write(minorVersion: UInt8, _ pseudonym: String, into buffer: inout ByteBuffer) {
        // Which nearly all are.
        if minorVersion == 1 { return buffer.writeLine("Via: 1.1 ", pseudonym) }
        buffer.writeLine("Via: ", member(minorVersion: minorVersion, pseudonym))
    }

    /// Whether a name can stand in `Via` and in `Proxy-Status`: a token without blanks or commas.
    package static func isPseudonym(_ text: String) -> Bool {
        guard let first = text.utf8.first, ASCII.isLetter(first), text.utf8.count <= 64 else { return false }
        return text.utf8.allSatisfy { ASCII.isLetter($0) || ASCII.isDigit($0) || "-._".utf8.contains($0) }
    }
}

extension HTTPField.Name {
    /// RFC 9209.
    package static let proxyStatus = Self(literal: "Proxy-Status")
}
