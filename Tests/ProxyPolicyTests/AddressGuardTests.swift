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
            "192.0.2.1", "192.88.99.1", "198.51.100.1", "203.0.113.1", "168.63.129.16", "::ffff:0:7f00:1",
            "100::1",
            "2001:2::1", "2001:20::1", "2001:db8::1", "3fff::1", "5f00::1", "fec0::1", "2600::5efe:10.0.0.1",
            "2600::200:5efe:7f00:1", "fd00:ec2::254", "100.100.100.200",
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
