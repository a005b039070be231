import HTTPTypes
import HTTPWire
import NIOCore
import ProxyPolicy

/// What limits a client connection and its requests.
extension ConnectionHandler {
    private var limits: ProxyLimits { self.core.snapshot.configuration.limits }

    /// What the client's limits say to the request under way; asked once for each.
    func clientExcess() -> LimitExcess? {
        guard !self.isCharged else { return nil }
        self.isCharged = true
        return self.permit.request(under: self.limits)
    }

    /// What the user's limits say to it.
    func userExcess() -> LimitExcess? {
        self.permit.request(by: self.entry.user, under: self.limits)
    }

    func refuse(_ excess: LimitExcess, context: ChannelHandlerContext) {
        self.entry.limit = excess.limit.rawValue
        self.perform(self.machine.denied(.beyond(excess)), context: context)
    }

    /// The bandwidth that counts for the request under way.
    var bandwidth: SharedBandwidth? { self.permit.bandwidth(under: self.limits) }

    /// Who moved more than was theirs waits before the next request goes out: many small ones would be free otherwise.
    func goOnceBandwidthIsPaid(context: ChannelHandlerContext) {
        guard let (wait, excess) = self.bandwidth?.debt else {
            return self.perform(self.machine.authorised(), context: context)
        }
        guard wait <= TimeAmount(self.core.configuration.connectTimeout) else {
            return self.refuse(excess, context: context)
        }
        self.delay = context.eventLoop.assumeIsolated().scheduleTask(in: wait) {
            self.delay = nil
            guard case .negotiating = self.phase else { return }
            self.perform(self.machine.authorised(), context: context)
        }
    }
}

extension Rejection {
    fileprivate static func beyond(_ excess: LimitExcess) -> Self {
        let whose = excess.limit == .connections ? "the proxy has" : "you have"
        return Self(
            status: excess.status, reason: "beyond \(excess.limit.rawValue)",
            text: "\(whose) reached a limit (\(excess.limit.rawValue)); try again in \(excess.retryAfter) s",
            fields: [.retryAfter: String(excess.retryAfter)], error: .requestDenied)
    }
}
