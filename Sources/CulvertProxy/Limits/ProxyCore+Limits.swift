import HTTPWire
import NIOCore

extension ProxyCore {
    /// Counts a client's connection until it and its tunnel have ended, whatever protocol it speaks. Nil when it is beyond a
    /// limit, and so many are that it is not worth an answer: close it.
    func admit(_ channel: any Channel, client: IPAddress?) -> ClientPermit? {
        guard let permit = self.admit(client) else { return nil }
        channel.closeFuture.whenComplete { _ in permit.release() }
        return permit
    }

    /// The same for a connection that has no channel: whoever calls releases the permit.
    func admit(_ client: IPAddress?) -> ClientPermit? {
        let permit = self.limiter.permit(for: client, under: self.configuration.limits)
        if permit == nil { self.metrics.limitRefusals.add("unanswered") }
        return permit
    }
}
