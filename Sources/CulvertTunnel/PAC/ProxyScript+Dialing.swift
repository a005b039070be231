package import HTTPWire
package import ProxyRoutes

extension ProxyScript {
    /// The ways to a target; its error as that of a dial.
    package nonisolated func routes(
        for target: Authority, scheme: EnvironmentProxies.TargetScheme
    ) async throws(TunnelError) -> [Route] {
        do {
            return try await self.routes(to: target, scheme: scheme.rawValue)
        } catch {
            throw .configuration(
                "the proxy script decides nothing for \(target): \(error)", underlying: error)
        }
    }
}
