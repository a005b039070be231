import NIOCore

/// The engine that copies between channels: for TLS, for streams inside HTTP/2, for systems without `splice`.
struct GlueEngine: RelayEngine {
    let registry: ConnectionRegistry

    var name: String { "copy" }
    var leavesChannels: Bool { false }

    func take(_ tunnel: Tunnel, _ open: () -> TunnelRecord) throws -> Bool {
        self.registry.add(tunnel.origin)
        let relay = GlueRelay(tunnel, open())
        for (channel, side) in [(tunnel.client, RelaySide.client), (tunnel.origin, .origin)] {
            try channel.syncOptions?.setOption(.autoRead, value: false)
            try channel.pipeline.syncOperations.addHandler(RelayHandler(relay, side: side))
        }
        relay.start(tunnel)
        return true
    }
}
