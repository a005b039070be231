package import HTTPWire
package import NIOCore

/// The proxy's side of one client connection that speaks SOCKS 5 (RFC 1928, users by RFC 1929), 4 or 4a, up to its tunnel.
///
/// CONNECT is the one command; a connection carries one request.
package struct SOCKSServerMachine: Sendable {
    package enum Action: Sendable, Hashable {
        case needMore
        /// Write it, then `receive` again, without bytes: clients that do not wait have sent more already.
        case send(ByteBuffer)
        /// Enough early bytes are held; read again after `establish`.
        case pauseReading
        /// Verify the credentials, then `authenticated` or `authenticationFailed`.
        case authenticate(SOCKSCredentials)
        /// Rule on the destination, then `authorised` or `denied`.
        case authorise(Authority)
        /// Connect, then `dialSucceeded` or `dialFailed`.
        case dial(Authority)
        /// Write `response` to the client and `early` to the destination; from here on it is a relay.
        case establish(response: ByteBuffer, early: ByteBuffer, inputClosed: Bool)
        /// Write `response`, which may be empty, and close with lingering.
        case reject(response: ByteBuffer, SOCKSRefusal)
        case close
    }

    private enum State: Sendable {
        /// Waiting for the first message, whose first octet is the version.
        case greeting
        /// Waiting for user name and password.
        case readingCredentials
        /// Waiting for the verifier.
        case authenticating
        /// Waiting for the request of SOCKS 5.
        case readingRequest
        /// Waiting for the policy.
        case authorising(Authority)
        /// Waiting for the destination.
        case dialing(Authority)
        case established
        case closed
    }

    /// A user id of SOCKS 4 is a login name, and a name of DNS has 253 octets: no honest request is longer.
    private static let maxSOCKS4Text = 255

    private let requiresAuthentication: Bool
    private let maxEarlyBytes: Int
    private var state = State.greeting
    private var version = SOCKSMethod.socks5
    private var buffer = ByteBuffer()
    private var inputClosed = false

    /// - Parameters:
    ///   - requiresAuthentication: asks for user name and password, and turns SOCKS 4 away, which has no password.
    ///   - maxEarlyBytes: how much may wait behind the request, in octets; as for CONNECT.
    package init(requiresAuthentication: Bool, maxEarlyBytes: Int = 64 << 10) {
        self.requiresAuthentication = requiresAuthentication
        self.maxEarlyBytes = maxEarlyBytes
    }

    /// `SOCKS4` or `SOCKS5`, for the log.
    package var protocolName: String { self.version == SOCKSMethod.socks4 ? "SOCKS4" : "SOCKS5" }

    package mutating func receive(_ bytes: ByteBuffer) -> Action {
        switch self.state {
        case .greeting, .readingCredentials, .readingRequest:
            self.buffer.writeImmutableBuffer(bytes)
            return self.read()
        case .authenticating, .authorising, .dialing:
            self.buffer.writeImmutableBuffer(bytes)
            return self.buffer.readableBytes > self.maxEarlyBytes ? .pauseReading : .needMore
        case .established: return self.close()
        case .closed: return .needMore  // Lingering: what comes is discarded.
        }
    }

    package mutating func receiveEOF() -> Action {
        switch self.state {
        case .greeting where self.buffer.readableBytes == 0: return self.close()
        case .greeting, .readingCredentials, .readingRequest:
            return self.reject(
                .init(.generalFailure, status: 400, reason: "the connection closed inside the request"))
        case .authenticating, .authorising, .dialing:
            self.inputClosed = true
            return .needMore
        case .established, .closed: return self.close()
        }
    }

    /// The time for the request is over.
    package mutating func deadlineExpired() -> Action {
        switch self.state {
        case .greeting, .readingCredentials, .readingRequest:
            return self.reject(.init(.generalFailure, status: 408, reason: "slow SOCKS request"))
        case .authenticating, .authorising, .dialing, .established, .closed: return .needMore
        }
    }

    package mutating func authenticated() -> Action {
        guard case .authenticating = self.state else { return self.close() }
        self.state = .readingRequest
        return .send(ByteBuffer(bytes: [SOCKSMethod.userPasswordVersion, 0]))
    }

    package mutating func authenticationFailed() -> Action {
        guard case .authenticating = self.state else { return self.close() }
        return self.rejectCredentials("wrong user name or password")
    }

    package mutating func authorised() -> Action {
        guard case .authorising(let target) = self.state else { return self.close() }
        self.state = .dialing(target)
        return .dial(target)
    }

    package mutating func denied(_ refusal: SOCKSRefusal) -> Action {
        // Before anybody looked at the credentials: their answer is the one that is due.
        if case .authenticating = self.state {
            return self.rejectCredentials(refusal.reason, status: refusal.status)
        }
        guard case .authorising = self.state else { return self.close() }
        return self.reject(refusal)
    }

    package mutating func dialSucceeded() -> Action {
        guard case .dialing = self.state else { return self.close() }
        self.state = .established
        let early = self.buffer.slice()
        self.buffer = ByteBuffer()
        return .establish(response: self.reply(.succeeded), early: early, inputClosed: self.inputClosed)
    }

    package mutating func dialFailed(_ refusal: SOCKSRefusal) -> Action {
        guard case .dialing = self.state else { return self.close() }
        return self.reject(refusal)
    }
}

extension SOCKSServerMachine {
    private mutating func read() -> Action {
        switch self.state {
        case .greeting:
            guard let version = self.buffer.readableBytesView.first else { return .needMore }
            self.version = version
            switch version {
            case SOCKSMethod.socks5: return self.readMethods()
            case SOCKSMethod.socks4: return self.readSOCKS4()
            default: return self.rejectSilently("SOCKS version \(version)")
            }
        case .readingCredentials: return self.readCredentials()
        case .readingRequest: return self.readRequest()
        case .authenticating, .authorising, .dialing, .established, .closed: return .needMore
        }
    }

    private mutating func readMethods() -> Action {
        var rest = self.buffer
        guard rest.readInteger(as: UInt8.self) != nil, let count = rest.readInteger(as: UInt8.self),
            let methods = rest.readBytes(length: Int(count))
        else { return .needMore }
        self.buffer = rest
        // Whoever offers a password that nobody asks for may keep it to itself, if it lets us choose.
        if !self.requiresAuthentication, methods.contains(SOCKSMethod.none) {
            self.state = .readingRequest
            return .send(ByteBuffer(bytes: [SOCKSMethod.socks5, SOCKSMethod.none]))
        }
        guard methods.contains(SOCKSMethod.userPassword) else {
            self.state = .closed
            let answer = ByteBuffer(bytes: [SOCKSMethod.socks5, SOCKSMethod.noneAcceptable])
            return .reject(
                response: answer,
                .init(
                    .notAllowed, status: self.requiresAuthentication ? 407 : 400,
                    reason: self.requiresAuthentication
                        ? "authentication required" : "no authentication method that is spoken here"))
        }
        self.state = .readingCredentials
        return .send(ByteBuffer(bytes: [SOCKSMethod.socks5, SOCKSMethod.userPassword]))
    }

    private mutating func readCredentials() -> Action {
        guard self.buffer.readableBytesView.first ?? 1 == SOCKSMethod.userPasswordVersion else {
            return self.rejectCredentials("malformed user and password message")
        }
        var rest = self.buffer
        guard rest.readInteger(as: UInt8.self) != nil, let user = Self.readText(&rest),
            let password = Self.readText(&rest)
        else { return .needMore }
        self.buffer = rest
        self.state = .authenticating
        guard self.requiresAuthentication else { return self.authenticated() }
        // What is not UTF-8 is no user of ours, and no password.
        guard let user = String(validating: user, as: UTF8.self),
            let password = String(validating: password, as: UTF8.self)
        else { return self.rejectCredentials("wrong user name or password") }
        return .authenticate(SOCKSCredentials(user: user, password: password))
    }

    private static func readText(_ buffer: inout ByteBuffer) -> [UInt8]? {
        guard let count = buffer.readInteger(as: UInt8.self) else { return nil }
        return buffer.readBytes(length: Int(count))
    }

    private mutating func readRequest() -> Action {
        guard self.buffer.readableBytesView.first ?? 5 == SOCKSMethod.socks5 else {
            return self.reject(.malformed("the request's version is not 5"))
        }
        var rest = self.buffer
        guard let head = rest.readBytes(length: 3) else { return .needMore }
        do {
            guard let target = try SOCKSAddress.read(&rest) else { return .needMore }
            self.buffer = rest
            guard head[1] == SOCKSMethod.connect else { return self.reject(.command(head[1])) }
            return self.authorise(target)
        } catch {
            switch error {
            case .unknownType(let type):
                return self.reject(
                    .init(.addressTypeNotSupported, status: 400, reason: "address type \(type)"))
            case .malformed(let error): return self.reject(.malformed(error.description))
            }
        }
    }

    private mutating func readSOCKS4() -> Action {
        var rest = self.buffer
        guard let command = rest.readBytes(length: 2)?[1], let port = rest.readInteger(as: UInt16.self),
            let bits = rest.readInteger(as: UInt32.self)
        else { return .needMore }
        // 0.0.0.x: the name stands behind the user id (SOCKS 4a).
        let texts = (bits >> 8 == 0 && bits != 0) ? 2 : 1
        var host = IPAddress.v4(bits).description
        for _ in 0..<texts {
            let view = rest.readableBytesView
            guard let end = view.prefix(Self.maxSOCKS4Text + 1).firstIndex(of: 0) else {
                return view.count > Self.maxSOCKS4Text
                    ? self.reject(.malformed("a text without an end")) : .needMore
            }
            if texts == 2 { host = String(validating: view[..<end], as: UTF8.self) ?? "" }
            rest.moveReaderIndex(to: end + 1)
        }
        self.buffer = rest
        guard command == SOCKSMethod.connect else { return self.reject(.command(command)) }
        guard !self.requiresAuthentication else {
            return self.reject(
                .init(
                    .notAllowed, status: 407, reason: "authentication required, and SOCKS 4 has no password"))
        }
        do {
            return self.authorise(try Authority(host: host, port: Int(port)))
        } catch {
            return self.reject(.malformed(error.description))
        }
    }

    private mutating func authorise(_ target: Authority) -> Action {
        self.state = .authorising(target)
        return .authorise(target)
    }

    // MARK: Answers

    /// The bound address of a reply is the unspecified one: which address the proxy goes out from is not the client's to know.
    private func reply(_ reply: SOCKSReply) -> ByteBuffer {
        self.version == SOCKSMethod.socks4
            ? ByteBuffer(bytes: [0, reply == .succeeded ? 90 : 91, 0, 0, 0, 0, 0, 0])
            : ByteBuffer(bytes: [SOCKSMethod.socks5, reply.rawValue, 0, 1, 0, 0, 0, 0, 0, 0])
    }

    private mutating func reject(_ refusal: SOCKSRefusal) -> Action {
        // A reply is the answer to a request; what failed before it has none.
        guard self.version == SOCKSMethod.socks4 || !self.isBeforeRequest else {
            return self.rejectSilently(refusal.reason, status: refusal.status)
        }
        self.state = .closed
        return .reject(response: self.reply(refusal.reply), refusal)
    }

    private var isBeforeRequest: Bool {
        switch self.state {
        case .greeting, .readingCredentials, .authenticating: true
        case .readingRequest, .authorising, .dialing, .established, .closed: false
        }
    }

    private mutating func rejectCredentials(_ reason: String, status: Int = 407) -> Action {
        self.state = .closed
        return .reject(
            response: ByteBuffer(bytes: [SOCKSMethod.userPasswordVersion, 1]),
            .init(.notAllowed, status: status, reason: reason))
    }

    private mutating func rejectSilently(_ reason: String, status: Int = 400) -> Action {
        self.state = .closed
        return .reject(response: ByteBuffer(), .init(.generalFailure, status: status, reason: reason))
    }

    private mutating func close() -> Action {
        self.state = .closed
        return .close
    }
}

extension SOCKSRefusal {
    fileprivate static func malformed(_ reason: String) -> Self {
        .init(.generalFailure, status: 400, reason: reason)
    }

    fileprivate static func command(_ command: UInt8) -> Self {
        .init(.commandNotSupported, status: 405, reason: "command \(command)")
    }
}
