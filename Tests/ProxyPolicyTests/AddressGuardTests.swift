import HTTPWire
import Testing

@testable import ProxyPolicy

@Suite("The guard against special-purpose addresses")
struct AddressGuardTests {
    @Test(
        "refused",
        arguments: [
            "0.0.0.0", "0.1.2.3", "10.0.0.1", "100.64.0.1", "100.127.255.255", "127.0.0.1", "127.255.0.1",
            "169.254.169.254", "172.16.0.1", "172.31.255.255", "192.0.0.8", "192.168.1.1", "198.18.0.1",
            "198.19.255.255", "224.0.0.1", "239.1.1.1", "240.0.0.1", "255.255.255.255", "::", "::1",
            "fc00::1",
            "fdff::1", "fe80::1", "febf::1", "ff02::1", "::ffff:8.8.8.8", "::ffff:127.0.0.1", "::7f00:1",
            "64:ff9b::8.8.8.8", "64:ff9b:1::1", "2002:7f00:1::", "2001:0:1::1",
        ])
    func refused(text: String) throws {
        let address = try #require(IPAddress(text))
        #expect(AddressGuard.specialPurpose.objection(to: address) != nil)
    }

    @Test(
        "allowed",
        arguments: [
            "1.1.1.1", "8.8.8.8", "9.255.255.255", "11.0.0.0", "100.63.255.255", "100.128.0.0", "128.0.0.1",
            "169.253.255.255", "172.15.255.255", "172.32.0.0", "192.0.1.1", "192.167.255.255",
            "198.17.255.255",
            "198.20.0.0", "223.255.255.255", "2606:4700::1111", "2001:4860::8888", "2003::1", "2400::1",
            "fbff::1", "64:ff9a::1",
        ])
    func allowed(text: String) throws {
        let address = try #require(IPAddress(text))
        #expect(AddressGuard.specialPurpose.objection(to: address) == nil)
    }
}

@Suite("The access policy")
struct AccessPolicyTests {
    @Test("without rules everything is allowed")
    func open() throws {
        let policy = AccessPolicy()
        #expect(try policy.decide(Authority("127.0.0.1:22")) == .allow)
        #expect(try policy.decide(Authority("example.com:25")) == .allow)
    }

    @Test("a port that is not listed is refused, by its number")
    func ports() throws {
        let policy = AccessPolicy { $0.connectPorts = [443, 8443] }
        #expect(try policy.decide(Authority("example.com:8443")) == .allow)
        #expect(try policy.decide(Authority("example.com:22")) == .deny(reason: "port 22 is not allowed"))
    }

    @Test("the guard judges literals at once and names by their addresses")
    func guarded() throws {
        let policy = AccessPolicy { $0.addressGuard = .specialPurpose }
        #expect(try policy.decide(Authority("example.com:443")) == .allow)
        #expect(try policy.decide(Authority("169.254.169.254:80")) != .allow)
        #expect(policy.decide(.v4(0x0A00_0001)) == .deny(reason: "10.0.0.1 is a private address"))
        #expect(policy.decide(.v4(0x0101_0101)) == .allow)
    }
}
