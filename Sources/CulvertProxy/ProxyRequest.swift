import CulvertTunnel
import Foundation
import HTTPTypes
import HTTPWire
import NIOCore
import ProxyPolicy

/// What is known of a request while it is under way, whoever carries it: its line of the access log, and who judged it.
struct ProxyRequest: Sendable {
    let client: ConnectedClient
    var entry = AccessLogEntry()
    /// When its head was complete.
    private(set) var start = NIODeadline.now()
    /// Once it named a target.
    private(set) var judgement: Judgement?

    init(client: ConnectedClient) {
        self.init(client: client, text: client.description)
    }

    /// The next one on the same connection.
    init(after former: ProxyRequest) {
        self.init(client: former.client, text: former.entry.client)
    }

    private init(client: ConnectedClient, text: String) {
        self.client = client
        self.entry.client = text
        self.entry.user = client.certificateUser
    }

    mutating func headArrived(_ head: RequestHead) {
        self.cameWithoutHead()
        self.entry.method = head.method.rawValue
        self.entry.target = Self.loggable(head)
    }

    /// Keeps who asks.
    ///
    /// - Returns: false when that cannot be told at once, or is nobody.
    mutating func authenticate(_ head: RequestHead, by core: ProxyCore) -> Bool {
        guard let authenticator = core.authenticator(for: self.client) else { return true }
        self.entry.user = authenticator.knownUser(of: head)
        return self.entry.user != nil
    }

    /// What came is no head, or none that can be read.
    mutating func cameWithoutHead() {
        self.start = .now()
        self.entry.timestamp = Date().timeIntervalSince1970
    }

    /// Queries carry sessions, tokens and names: a log is not theirs to lie in. Squid cuts them off too.
    private static func loggable(_ head: RequestHead) -> String {
        let bytes = head.target.utf8
        let mark = head.method == .connect ? nil : bytes.firstIndex(of: UInt8(ascii: "?"))
        if mark == nil, bytes.count <= 512 { return head.target }
        return String(decoding: (mark.map { bytes[...$0] } ?? bytes[...]).prefix(512), as: UTF8.self)
    }

    /// Under the rules that count now.
    mutating func judge(_ head: RequestHead, target: Authority, by core: ProxyCore) -> Judgement {
        let judgement = core.judge(
            AccessRequest(
                user: self.entry.user, client: self.client.address, method: head.method.rawValue,
                target: target))
        self.judgement = judgement
        return judgement
    }

    /// The target answers.
    ///
    /// - Parameters:
    ///   - peer: who was dialled: the target, or a parent.
    ///   - isDirect: it is the target.
    mutating func opened(at peer: ListenAddress?, isDirect: Bool) {
        self.entry.status = 200
        self.entry.address = peer?.description
        self.notePermission(for: peer?.address, isDirect: isDirect)
    }

    /// Keeps what let it through.
    mutating func notePermission(for address: IPAddress?, isDirect: Bool) {
        guard let judgement else { return }
        let permission = judgement.permission(for: isDirect ? address : nil)
        self.entry.rule = permission?.rule
        self.entry.wouldBeDenied = permission?.wouldBeDenied ?? false
    }

    /// A relay has it from here on.
    mutating func becameTunnel() {
        self.entry.isAllowed = true
        self.entry.reason = "open"
    }

    /// Keeps how long the dial took.
    mutating func dialEnded(resolveTime: TimeAmount, parent: String?, metrics: ProxyMetrics) {
        let total = NIODeadline.now() - self.start
        self.entry.resolveMilliseconds = resolveTime.nanoseconds / 1_000_000
        self.entry.connectMilliseconds = total.nanoseconds / 1_000_000
        self.entry.parent = parent
        metrics.dialled(
            nanoseconds: total.nanoseconds,
            resolveNanoseconds: resolveTime == .zero ? nil : resolveTime.nanoseconds)
    }

    /// Its exchange with the server is over, or was given up.
    mutating func wasForwarded(_ figures: ForwardFigures) {
        self.entry.status = figures.status
        self.entry.isAllowed = true
        self.entry.address = figures.addressText
        self.notePermission(for: figures.address, isDirect: figures.parent == nil)
        self.entry.bytesUp = figures.bytesUp
        self.entry.bytesDown = figures.bytesDown
        self.entry.parent = figures.parent
        self.entry.resolveMilliseconds = figures.resolveTime.nanoseconds / 1_000_000
        self.entry.connectMilliseconds = figures.connectTime.nanoseconds / 1_000_000
    }

    /// It is over: tells the log and the counters.
    mutating func end(in core: ProxyCore) {
        self.entry.milliseconds = (NIODeadline.now() - self.start).nanoseconds / 1_000_000
        core.record(self.entry)
    }

    /// It is over, by whose doing and why.
    mutating func end(by closer: AccessLogEntry.Closer, reason: String, in core: ProxyCore) {
        self.entry.closedBy = closer
        self.entry.reason = reason
        self.end(in: core)
    }
}
