/// What the admin listener sees of a proxy.
extension ProxyServer {
    package var metrics: ProxyMetrics { self.core.metrics }

    package var state: ProxyState { self.core.state }

    package var listenAddresses: [ListenAddress] { self.core.listenAddresses }

    /// Addresses of this process that no client may reach through the proxy, besides its own listeners.
    package func reserve(_ addresses: [ListenAddress]) { self.core.reserve(addresses) }
}
