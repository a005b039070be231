/// A part of the way out that can fail, and the exit status that tells so.
enum DoctorPhase: String, Codable, CaseIterable {
    case configuration
    case nameLookup = "name-lookup"
    case connect
    case proxyTLS = "proxy-tls"
    case authentication
    case tunnel
    case targetTLS = "target-tls"
    case upgrade
    case idle

    var exitStatus: Int32 {
        switch self {
        case .configuration: 10
        case .nameLookup: 11
        case .connect: 12
        case .proxyTLS: 13
        case .authentication: 14
        case .tunnel: 15
        case .targetTLS: 16
        case .upgrade: 17
        case .idle: 18
        }
    }

    static let help = """
        EXIT STATUS
          0    everything works
          10   configuration: a variable, a rule, the PAC script, or a file for TLS cannot be used
          11   name-lookup: the name of the proxy, or of a target that goes direct, has no address
          12   connect: nothing answers there
          13   proxy-tls: TLS with the proxy failed
          14   authentication: the proxy wants other credentials, or none that are at hand
          15   tunnel: the proxy refused the tunnel, or its answer is no HTTP
          16   target-tls: TLS with the target failed; the certificate's issuer is named
          17   upgrade: the server refused the WebSocket
          18   idle: the connection was cut before --idle was over
          64   wrong usage; 130: interrupted
        """
}
