import Testing

@testable import CulvertProxy

@Suite("Addresses to listen on")
struct ListenAddressTests {
    @Test(
        "good ones",
        arguments: [
            ("127.0.0.1:3128", "127.0.0.1:3128", true), ("[::1]:3128", "[::1]:3128", true),
            ("localhost:1", "127.0.0.1:1", true), ("3128", "127.0.0.1:3128", true),
            ("0.0.0.0:0", "0.0.0.0:0", false), ("[::]:65535", "[::]:65535", false),
            ("192.0.2.1:80", "192.0.2.1:80", false), ("unix:/run/p.sock", "unix:/run/p.sock", true),
            ("unix:/run/p.sock,mode=660", "unix:/run/p.sock", true),
        ])
    func good(text: String, description: String, isLoopback: Bool) throws {
        let address = try #require(ListenAddress(text))
        #expect(address.description == description)
        #expect(address.isLoopback == isLoopback)
    }

    @Test(
        "bad ones",
        arguments: [
            "", ":", ":80", "example.com:80", "127.0.0.1:", "127.0.0.1:65536", "127.0.0.1:-1", "127.0.0.1:+1",
            "unix:", "unix:p.sock", "unix:/p,mode=", "unix:/p,mode=8", "unix:/p,mode=1777", "unix:/p,owner=x",
            "unix:/" + String(repeating: "p", count: 103), "systemd:1",
            "::1:80", "[::1]", "[127.0.0.1]:80:", "127.1:80", "0177.0.0.1:80", "127.0.0.1:８０",
        ])
    func bad(text: String) {
        #expect(ListenAddress(text) == nil)
    }

    @Test("listening on more than loopback turns the guard on, unless it is told otherwise")
    func guardMode() {
        var configuration = ProxyConfiguration { $0.listeners = [.loopback] }
        #expect(configuration.effectivePolicy.addressGuard == nil)
        configuration.listeners.append(ListenAddress(address: .v4(0), port: 3128))
        #expect(configuration.effectivePolicy.addressGuard == .specialPurpose)
        configuration.guardMode = .off
        #expect(configuration.effectivePolicy.addressGuard == nil)
    }

    @Test("a load balancer brings clients of the network to a loopback listener: the guard is on")
    func guardBehindLoadBalancer() {
        var configuration = ProxyConfiguration()
        configuration.proxyProtocolFrom.includesUnixSockets = true
        #expect(configuration.effectivePolicy.addressGuard == .specialPurpose)
    }

    @Test("a Unix socket's file is for its owner unless told")
    func mode() {
        #expect(ListenAddress("unix:/p")?.place == .unix(path: "/p", mode: 0o600))
        #expect(ListenAddress("unix:/p,mode=666")?.place == .unix(path: "/p", mode: 0o666))
        #expect(ListenAddress("systemd") == .serviceManager)
    }
}
