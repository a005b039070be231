package import HTTPWire
package import NIOCore

/// Asks a SOCKS server for one connection: SOCKS 4a, or SOCKS 5 (RFC 1928) with a user name and password (RFC 1929).
///
/// Whether names are looked up here or there is decided by who makes the machine: a target that is a name goes as one.
package struct SOCKSClientMachine: Sendable {
    package enum Version: Sendable, Hashable {
        case socks4a, socks5
    }

    package enum Action: Sendable, Hashable {
        case needMore
        /// The next message of the exchange. Write it, then `receive` again, without bytes: the answer may be here.
        case send(ByteBuffer)
        /// The connection stands; `leftover` came from the target already.
        case established(leftover: ByteBuffer)
        case failed(SOCKSFailure)
    }

    private enum State: Sendable {
        /// Nothing sent. Leaves on `start`.
        case idle
        /// The greeting is out. Leaves on two octets, or EOF.
        case choosingMethod
        /// User name and password are out. Leaves on two octets, or EOF.
        case authenticating
        /// The request is out. Leaves on the reply, or EOF.
        case requesting
        case done
    }

    private let version: Version
    private let target: Authority
    private let credentials: SOCKSCredentials?
    private var state = State.idle
    private var buffer = ByteBuffer()
    private var received = 0

    package init(_ version: Version, target: Authority, credentials: SOCKSCredentials? = nil) {
        self.version = version
        self.target = target
        self.credentials = credentials
    }

    /// The first message, or `credentialsUnsendable`.
    package mutating func start() -> Action {
        switch self.version {
        case .socks5:
            if let credentials, !credentials.isSendable { return self.fail(.credentialsUnsendable) }
            self.state = .choosingMethod
            let methods =
                self.credentials == nil ? [SOCKSMethod.none] : [SOCKSMethod.none, SOCKSMethod.userPassword]
            return .send(ByteBuffer(bytes: [SOCKSMethod.socks5, UInt8(methods.count)] + methods))
        case .socks4a:
            guard let request = self.socks4Request() else { return self.fail(.credentialsUnsendable) }
            self.state = .requesting
            return .send(request)
        }
    }

    package mutating func receive(_ bytes: ByteBuffer) -> Action {
        self.received += bytes.readableBytes
        self.buffer.writeImmutableBuffer(bytes)
        switch (self.state, self.version) {
        case (.idle, _): return .needMore
        case (.choosingMethod, _): return self.methodChosen()
        case (.authenticating, _): return self.authenticated()
        case (.requesting, .socks5): return self.replied()
        case (.requesting, .socks4a): return self.repliedSOCKS4()
        case (.done, _): return .needMore
        }
    }

    package mutating func receiveEOF() -> Action {
        if case .done = self.state { return .needMore }
        return self.fail(.closed(afterBytes: self.received))
    }

    // MARK: SOCKS 5

    private mutating func methodChosen() -> Action {
        guard self.startsWith(SOCKSMethod.socks5) else { return self.failNotSOCKS() }
        guard let answer = self.buffer.readBytes(length: 2) else { return .needMore }
        switch (answer[1], self.credentials) {
        case (SOCKSMethod.none, _): return self.request()
        case (SOCKSMethod.userPassword, let credentials?):
            self.state = .authenticating
            var message = ByteBuffer(bytes: [SOCKSMethod.userPasswordVersion])
            for text in [credentials.user, credentials.password] {
                message.writeInteger(UInt8(truncatingIfNeeded: text.utf8.count))
                message.writeString(text)
            }
            return .send(message)
        case (SOCKSMethod.noneAcceptable, let credentials):
            return self.fail(.noAcceptableMethod(offeredPassword: credentials != nil))
        case (let method, _): return self.fail(.methodNotOffered(method))
        }
    }

    private mutating func authenticated() -> Action {
        // RFC 1929 §2 wants version 1; servers that answer with 5 are still about.
        guard self.startsWith(SOCKSMethod.userPasswordVersion) || self.startsWith(SOCKSMethod.socks5) else {
            return self.failNotSOCKS()
        }
        guard let answer = self.buffer.readBytes(length: 2) else { return .needMore }
        guard answer[1] == 0 else { return self.fail(.credentialsRejected) }
        return self.request()
    }

    private mutating func request() -> Action {
        self.state = .requesting
        var message = ByteBuffer(bytes: [SOCKSMethod.socks5, SOCKSMethod.connect, 0])
        SOCKSAddress.write(self.target, into: &message)
        return .send(message)
    }

    private mutating func replied() -> Action {
        guard self.startsWith(SOCKSMethod.socks5) else { return self.failNotSOCKS() }
        var rest = self.buffer
        guard let head = rest.readBytes(length: 3) else { return .needMore }
        // A refusal needs no address, and some servers send none.
        if head[1] != 0 {
            return self.fail(SOCKSReply(rawValue: head[1]).map { .refused($0) } ?? .refusedWithCode(head[1]))
        }
        do {
            guard try SOCKSAddress.skip(&rest) else { return .needMore }
        } catch {
            return self.fail(.malformedReply)
        }
        return self.establish(rest)
    }

    // MARK: SOCKS 4a

    /// nil when the user name cannot be sent, or there is a password.
    private func socks4Request() -> ByteBuffer? {
        let user = self.credentials?.user ?? ""
        guard user.utf8.count <= 255, !user.utf8.contains(0), self.credentials?.password.isEmpty ?? true
        else {
            return nil
        }
        var message = ByteBuffer(bytes: [SOCKSMethod.socks4, SOCKSMethod.connect])
        message.writeInteger(self.target.port)
        // 0.0.0.x is the sign that a name follows, so an address of that kind must go as one too.
        if case .address(.v4(let bits)) = self.target.host, bits >> 8 != 0 {
            message.writeInteger(bits)
            message.writeString(user + "\0")
        } else {
            message.writeInteger(UInt32(1))
            message.writeString(user + "\0" + self.target.hostDescription + "\0")
        }
        return message
    }

    private mutating func repliedSOCKS4() -> Action {
        // The version of a reply is 0.
        guard self.startsWith(0) else { return self.failNotSOCKS() }
        guard let reply = self.buffer.readBytes(length: 8) else { return .needMore }
        guard reply[1] == 90 else { return self.fail(.refusedWithCode(reply[1])) }
        return self.establish(self.buffer)
    }

    // MARK: Ends

    private func startsWith(_ version: UInt8) -> Bool {
        self.buffer.readableBytes == 0 || self.buffer.readableBytesView.first == version
    }

    private mutating func failNotSOCKS() -> Action {
        self.fail(.notSOCKS(self.buffer.readableBytesView.first ?? 0))
    }

    private mutating func establish(_ leftover: ByteBuffer) -> Action {
        self.state = .done
        self.buffer = ByteBuffer()
        return .established(leftover: leftover.slice())
    }

    private mutating func fail(_ failure: SOCKSFailure) -> Action {
        self.state = .done
        self.buffer = ByteBuffer()
        return .failed(failure)
    }
}
