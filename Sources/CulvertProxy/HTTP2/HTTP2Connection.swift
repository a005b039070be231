import HTTPWire
import NIOCore
import NIOHTTP2
import PortWire

/// Sets a connection up for HTTP/2: each of its streams gets the handlers that an HTTP/1 connection has.
enum HTTP2Connection {
    /// 100: what RFC 9113 §6.5.2 recommends at least; a browser's page hardly has so many origins.
    private static let maxStreams = 100
    /// What a stream may hold in memory while its target takes nothing, in bytes; 100 streams make 25 MiB. At 50 ms of
    /// round trip it lets 5 MB/s up.
    private static let streamWindow = 256 << 10
    /// What may wait for a client that does not read, each stream: as much as a socket's own buffer takes.
    private static let watermarks = (low: 64 << 10, high: 128 << 10)
    /// Streams that a client may give up within 30 s. A browser that closes its windows ends some hundreds of tunnels
    /// so; a rapid-reset attack (CVE-2023-44487) sends as many in milliseconds.
    private static let maxResets = 1000

    /// Adds the handlers behind `handler`, on the event loop of its channel.
    static func configure(
        _ pipeline: ChannelPipeline.SynchronousOperations, behind handler: some ChannelHandler,
        on eventLoop: any EventLoop, core: ProxyCore, client: ConnectedClient
    ) throws {
        let manager = NIOHTTP2ServerConnectionManagementHandler(
            eventLoop: eventLoop,
            configuration: .init(maxIdleTime: nil, maxAge: nil, maxGraceTime: nil, keepalive: nil))
        let connection = HTTP2ConnectionHandler(core, client: client)
        let bound = NIOLoopBound(connection, eventLoop: eventLoop)
        let frames = NIOHTTP2Handler(
            mode: .server, eventLoop: eventLoop,
            connectionConfiguration: self.connectionConfiguration(core.configuration),
            streamConfiguration: self.streamConfiguration, streamDelegate: manager.http2StreamDelegate
        ) { stream in
            stream.eventLoop.makeCompletedFuture {
                core.registry.add(stream)
                bound.value.streamOpened()
                stream.closeFuture.assumeIsolated().whenComplete { _ in bound.value.streamClosed() }
                // A stream counts as a connection does: a client gets no more by opening them on one.
                guard let permit = core.admit(stream, client: client.address) else {
                    throw ChannelError.ioOnClosedChannel
                }
                try stream.pipeline.syncOperations.addHandlers(
                    HTTP2StreamHandler(),
                    ConnectionHandler(core, client: client, permit: permit, speaking: .http))
            }
        }
        try pipeline.addHandlers([frames, manager, connection], position: .after(handler))
    }

    private static func connectionConfiguration(
        _ configuration: ProxyConfiguration
    ) -> NIOHTTP2Handler.ConnectionConfiguration {
        var connection = NIOHTTP2Handler.ConnectionConfiguration()
        connection.initialSettings = [
            HTTP2Setting(parameter: .maxConcurrentStreams, value: self.maxStreams),
            HTTP2Setting(parameter: .maxHeaderListSize, value: configuration.maxHeadBytes),
            HTTP2Setting(parameter: .initialWindowSize, value: self.streamWindow),
        ]
        // ``HTTP2StreamMachine`` is stricter, and ends the one stream.
        connection.headerBlockValidation = .disabled
        connection.contentLengthValidation = .disabled
        // Each stream's own window holds its bytes back.
        connection.targetWindowSize = self.maxStreams * self.streamWindow
        return connection
    }

    private static var streamConfiguration: NIOHTTP2Handler.StreamConfiguration {
        var stream = NIOHTTP2Handler.StreamConfiguration()
        stream.targetWindowSize = self.streamWindow
        stream.outboundBufferSizeHighWatermark = self.watermarks.high
        stream.outboundBufferSizeLowWatermark = self.watermarks.low
        stream.streamResetFrameRateLimit.maximumCount = self.maxResets
        return stream
    }
}
