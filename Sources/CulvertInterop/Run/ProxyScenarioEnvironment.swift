/// What scenarios with the proxy run in.
package struct ProxyScenarioEnvironment: Sendable {
    /// Base URLs of the harness' origin, such as `https://localhost:40123`.
    package var http: String
    package var https: String
    package var ws: String
    package var wss: String
    /// PEM file with the authority of the origin and of the proxy's TLS listeners.
    package var authority: String
    /// A loopback port nobody listens on.
    package var refusedPort: Int
    /// What the proxy can.
    package var features: Set<ProxyScenario.ProxyFeature>
    /// Where a proxy of that flavour listens, with the credentials it takes; its scheme is not looked at. Asked for those
    /// flavours only whose feature is there.
    package var proxy: @Sendable (ProxyScenario.Flavour) async throws -> ProxyAddress

    package init(
        http: String, https: String, ws: String, wss: String, authority: String, refusedPort: Int,
        features: Set<ProxyScenario.ProxyFeature>,
        proxy: @escaping @Sendable (ProxyScenario.Flavour) async throws -> ProxyAddress
    ) {
        self.http = http
        self.https = https
        self.ws = ws
        self.wss = wss
        self.authority = authority
        self.refusedPort = refusedPort
        self.features = features
        self.proxy = proxy
    }

    /// A URL with the placeholders replaced.
    func url(_ text: String) -> String {
        let values = [
            "{http}": self.http, "{https}": self.https, "{ws}": self.ws, "{wss}": self.wss,
            "{refused}": "\(self.refusedPort)",
        ]
        return values.reduce(text) { $0.replacing($1.key, with: $1.value) }
    }
}
