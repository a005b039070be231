package import HTTPTypes
package import NIOCore

extension HTTPFields {
    /// Appends every field line, then the blank line. `HTTPFields` holds no line breaks: it legalises values.
    package func serialize(into buffer: inout ByteBuffer) {
        for field in self { field.write(into: &buffer) }
        buffer.writeStaticString("\r\n")
    }

    /// The members of a comma-separated list over all its lines, lower-cased, blanks and empty ones removed
    /// (RFC 9110 §5.6.1). For lists of tokens only: a quoted comma would split.
    package func tokens(_ name: HTTPField.Name) -> [String] {
        guard contains(name) else { return [] }
        return self[values: name].flatMap { value in
            value.utf8.split(separator: ASCII.comma).map { ASCII.trimmed($0) }.filter { !$0.isEmpty }
                .map { String(Substring($0)).lowercased() }
        }
    }

    /// Whether such a list has the token, whatever its case.
    ///
    /// - Parameter token: in lower case.
    func contains(_ name: HTTPField.Name, _ token: StaticString) -> Bool {
        guard contains(name) else { return false }
        let token = UnsafeBufferPointer(start: token.utf8Start, count: token.utf8CodeUnitCount)
        return contains { field in
            guard field.name == name else { return false }
            return field.withUnsafeBytesOfValue { value in
                ListMembers(UnsafeRawBufferPointer(value)).contains { member in
                    member.elementsEqual(token) { ASCII.lowercased($0) == $1 }
                }
            }
        }
    }

    /// `Connection` and the widespread `Proxy-Connection` decide; without them HTTP/1.1 persists, 1.0 not.
    package func keepsConnection(minorVersion: UInt8) -> Bool {
        if contains(.connection, "close") || contains(.proxyConnection, "close") { return false }
        return minorVersion >= 1 || contains(.connection, "keep-alive")
            || contains(.proxyConnection, "keep-alive")
    }
}

extension HTTPField {
    /// Appends the field's line.
    func write(into buffer: inout ByteBuffer) {
        var name = name.rawName
        name.withUTF8 { name in
            withUnsafeBytesOfValue { value in buffer.writeLine(name, ": ", value) }
        }
    }
}

extension ByteBuffer {
    /// Appends a line.
    ///
    /// - Parameter start: what it begins with, for example `Host: `.
    mutating func writeLine(_ start: StaticString, _ rest: String) {
        var rest = rest
        rest.withUTF8 { rest in writeLine(.init(start: nil, count: 0), start, rest) }
    }

    /// In one piece: each write by itself looks for room and for other owners.
    fileprivate mutating func writeLine(
        _ first: UnsafeBufferPointer<UInt8>, _ second: StaticString, _ third: UnsafeBufferPointer<UInt8>
    ) {
        let second = UnsafeBufferPointer(start: second.utf8Start, count: second.utf8CodeUnitCount)
        let length = first.count + second.count + third.count + 2
        writeWithUnsafeMutableBytes(minimumWritableBytes: length) { room in
            var end = 0
            func copy(_ piece: UnsafeBufferPointer<UInt8>) {
                UnsafeMutableRawBufferPointer(rebasing: room[end..<(end + piece.count)]).copyBytes(
                    from: piece)
                end += piece.count
            }
            copy(first)
            copy(second)
            copy(third)
            room[end] = ASCII.carriageReturn
            room[end + 1] = ASCII.lineFeed
            return length
        }
    }
}

extension HTTPField.Name {
    /// Not registered, but what clients and proxies use between them.
    package static let proxyConnection = Self(literal: "Proxy-Connection")
    /// RFC 9110 §7.2.
    package static let host = Self(literal: "Host")

    init(literal name: String) {
        guard let parsed = Self(name) else {
            preconditionFailure("a literal field name in this file is a token")
        }
        self = parsed
    }
}
