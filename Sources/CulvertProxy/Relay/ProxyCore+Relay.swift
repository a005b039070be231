import CulvertTunnel
import NIOCore

extension ProxyCore {
    /// The one way from a request to a relay, whatever protocol asked for the tunnel: hands both channels to the
    /// first engine that takes them, and writes the access log when the tunnel has ended. On the channels' event
    /// loop.
    ///
    /// - Parameters:
    ///   - entry: what is known of the request, its status and the time of its dial included.
    ///   - start: when its head was complete.
    func relay(_ tunnel: Tunnel, entry: AccessLogEntry, since start: NIODeadline) throws {
        for engine in self.relays {
            let isTaken = try engine.take(tunnel) {
                TunnelRecord(self, entry: entry, permit: tunnel.permit, since: start, engine: engine)
            }
            if isTaken { return }
        }
        preconditionFailure("the last engine takes every tunnel")
    }

    /// Those that may have a tunnel, the better one first.
    private var relays: [any RelayEngine] {
        guard self.configuration.relay != .copy, let splice else { return [self.glue] }
        return [splice, self.glue]
    }

    /// Refuses to go on without an engine that was asked for by name.
    func checkRelay(of configuration: ProxyConfiguration) throws(TunnelError) {
        guard configuration.relay == .splice, self.splice == nil else { return }
        throw .configuration(
            "relay splice: this system does not let sockets be spliced; auto does without")
    }
}
