import NIOCore
import WebSocketWire

/// A WebSocket of libcurl's own. libcurl masks, frames and answers pings; messages are put together here.
actor LibcurlWebSocketConnection: CurlConnection {
    private let thread = CurlThread()
    nonisolated var unownedExecutor: UnownedSerialExecutor { self.thread.asUnownedSerialExecutor() }
    nonisolated let bell: CurlBell

    private let easy: CurlEasy
    private let functions: CurlWebSocketFunctions
    private var inbox: CurlFrameInbox
    private var pingCount: UInt64 = 0
    private var isClosing = false

    init(
        _ easy: CurlEasy, _ functions: CurlWebSocketFunctions, maxMessageBytes: Int
    ) throws(InteropFailure) {
        self.easy = easy
        self.functions = functions
        self.inbox = CurlFrameInbox(maxMessageBytes: maxMessageBytes)
        self.bell = try CurlBell()
    }

    // MARK: Calls

    func open(_ deadline: CurlDeadline) throws -> CurlAgreement {
        try self.easy.open(deadline)
        return CurlAgreement(subprotocol: self.easy.exchange.heads.last?["Sec-WebSocket-Protocol"])
    }

    func send(_ message: WebSocketMessage, _ deadline: CurlDeadline) throws {
        switch message {
        case .text(let text): try self.send(ByteBuffer(string: text), .text, deadline)
        case .binary(let bytes): try self.send(bytes, .binary, deadline)
        }
    }

    func send(fragments: [String], _ deadline: CurlDeadline) throws {
        for (index, text) in fragments.enumerated() {
            let isLast = index == fragments.count - 1
            try self.send(ByteBuffer(string: text), isLast ? .text : [.text, .more], deadline)
            if index == 0 { try self.send(ByteBuffer(string: "between"), .ping, deadline) }
        }
    }

    func receive(_ deadline: CurlDeadline) throws -> WebSocketMessage? {
        while true {
            if !self.inbox.messages.isEmpty { return self.inbox.messages.removeFirst() }
            if let close = self.inbox.close {
                // libcurl leaves the answer to its user; a peer that is gone already does not wait for it.
                if !self.isClosing { try? self.sendClose(close.code, reason: "", deadline) }
                return nil
            }
            try self.move(deadline)
        }
    }

    func ping(_ deadline: CurlDeadline) throws {
        self.pingCount += 1
        let payload = ByteBuffer(string: "ping \(self.pingCount)")
        try self.send(payload, .ping, deadline)
        while !self.inbox.pongs.contains(payload) {
            if self.inbox.close != nil { throw InteropFailure(.connectionLost, "closed before the pong") }
            try self.move(deadline)
        }
        self.inbox.pongs = []
    }

    func close(
        _ code: WebSocketCloseCode, reason: String, _ deadline: CurlDeadline
    ) throws -> WebSocketClose {
        if !self.isClosing { try self.sendClose(code, reason: reason, deadline) }
        while true {
            if let close = self.inbox.close { return close }
            try self.move(deadline)
        }
    }

    // MARK: Frames

    private func sendClose(
        _ code: WebSocketCloseCode, reason: String, _ deadline: CurlDeadline
    ) throws {
        self.isClosing = true
        var payload = ByteBuffer()
        if code.mayBeSent {
            payload.writeInteger(code.rawValue)
            payload.writeString(reason)
        }
        try self.send(payload, .close, deadline)
    }

    /// Sends one frame. What comes meanwhile is taken: a server that echoes piece by piece stops reading when its
    /// answers are not read.
    private func send(_ bytes: ByteBuffer, _ flags: CurlFrameFlags, _ deadline: CurlDeadline) throws {
        var bytes = bytes
        while true {
            if try self.functions.send(&bytes, flags, self.easy.handle) { return }
            if try !self.takeFrame() { try self.easy.wait(deadline, writing: true) }
        }
    }

    /// Takes what is there, or waits for it.
    private func move(_ deadline: CurlDeadline) throws {
        _ = try deadline.timeLeft()
        if try !self.takeFrame() { try self.easy.wait(deadline, writing: false) }
    }

    /// Takes a piece of a frame; false when there is nothing yet.
    private func takeFrame() throws -> Bool {
        guard let piece = try self.functions.receivePiece(self.easy.handle) else { return false }
        try self.inbox.take(piece)
        return true
    }
}
