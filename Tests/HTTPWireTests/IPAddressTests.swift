import Testing

@testable import HTTPWire

@Suite struct IPAddressTests {
    @Test(
        "an address prints in its canonical form",
        arguments: [
            ("0.0.0.0", "0.0.0.0"), ("127.0.0.1", "127.0.0.1"), ("255.255.255.255", "255.255.255.255"),
            ("::", "::"), ("::1", "::1"), ("1::", "1::"), ("2001:DB8:0:0:0:0:0:5", "2001:db8::5"),
            ("2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"), ("2001:0:0:1:0:0:0:1", "2001:0:0:1::1"),
            ("2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1"), ("::ffff:10.0.0.1", "::ffff:10.0.0.1"),
            ("::ffff:0a00:0001", "::ffff:10.0.0.1"), ("64:ff9b::192.0.2.33", "64:ff9b::c000:221"),
            ("::192.0.2.1", "::c000:201"), ("1:2:3:4:5:6:7::", "1:2:3:4:5:6:7:0"),
            ("::2:3:4:5:6:7:8", "0:2:3:4:5:6:7:8"), ("1:2:3:4:5:6:1.2.3.4", "1:2:3:4:5:6:102:304"),
        ])
    func canonical(text: String, expected: String) throws {
        let address = try #require(IPAddress(text))
        #expect(address.description == expected)
        #expect(IPAddress(expected) == address)
        #expect(IPAddress(bytes: address.bytes) == address)
    }

    @Test(
        "with a port it is as it stands in a URI",
        arguments: [
            ("0.0.0.0", 0, "0.0.0.0:0"), ("10.20.200.9", 9, "10.20.200.9:9"),
            ("127.0.0.1", 80, "127.0.0.1:80"),
            ("1.10.100.1", 443, "1.10.100.1:443"), ("255.255.255.255", 65535, "255.255.255.255:65535"),
            ("192.0.2.1", 65536, "192.0.2.1:65536"), ("::1", 8443, "[::1]:8443"),
        ])
    func withPort(text: String, port: Int, expected: String) throws {
        #expect(try #require(IPAddress(text)).description(port: port) == expected)
    }

    @Test(
        "what two parsers could read differently is no address",
        arguments: [
            "", "0177.0.0.1", "0x7f.0.0.1", "127.1", "2130706433", "01.2.3.4", "1.2.3.04", "256.1.1.1",
            "1.2.3", "1.2.3.4.", ".1.2.3.4", "1.2.3.4.5", "1..2.3", "+1.2.3.4", "1.2.3.4 ", " 1.2.3.4",
            "1.2.3.٤",
            ":", ":::", "1:2:3:4:5:6:7", "1:2:3:4:5:6:7:8:9", "1::2::3", "12345::", "g::", "fe80::1%eth0",
            "[::1]", ":1", "1:", "::1.2.3", "1.2.3.4::", "::1.2.3.4:5", "1:2:3:4:5:6:7::8:9",
            "1:2:3:4::5:6:7:8",
            "::01.2.3.4", "00000::1", "1:2:3:4:5:6:7:1.2.3.4",
        ])
    func refused(text: String) {
        #expect(IPAddress(text) == nil)
    }

    @Test("only 4 or 16 octets make an address", arguments: [0, 1, 3, 5, 15, 17])
    func octets(count: Int) {
        #expect(IPAddress(bytes: [UInt8](repeating: 1, count: count)) == nil)
    }

    @Test(
        "a network contains the addresses that share its prefix",
        arguments: [
            ("10.0.0.0/8", "10.255.1.2", true), ("10.0.0.0/8", "11.0.0.0", false),
            ("10.9.9.9/8", "10.0.0.1", true),
            ("0.0.0.0/0", "203.0.113.9", true), ("0.0.0.0/0", "::1", false),
            ("192.0.2.1/32", "192.0.2.1", true),
            ("192.0.2.1/32", "192.0.2.2", false), ("100.64.0.0/10", "100.127.255.255", true),
            ("100.64.0.0/10", "100.128.0.0", false), ("2001:db8::/32", "2001:db8:ffff::5", true),
            ("2001:db8::/32", "2001:db9::", false), ("::/0", "ff02::1", true), ("::/0", "10.0.0.1", false),
            ("::1/128", "::1", true), ("::1/128", "::2", false), ("64:ff9b:1::/48", "64:ff9b:1:ffff::", true),
            ("2001:db8::/64", "2001:db8::ffff:0:0:1", true), ("2001:db8::/65", "2001:db8::8000:0:0:1", false),
            ("10.0.0.0/8", "::ffff:10.0.0.1", false),
        ])
    func containing(network: String, address: String, expected: Bool) throws {
        let network = try #require(IPNetwork(network))
        #expect(network.contains(try #require(IPAddress(address))) == expected)
    }

    @Test("host bits are cleared") func masking() {
        #expect(IPNetwork("10.1.2.3/8")?.description == "10.0.0.0/8")
        #expect(IPNetwork("2001:db8::5/32")?.description == "2001:db8::/32")
    }

    @Test(
        "what is not address/length is no network",
        arguments: [
            "", "10.0.0.0", "10.0.0.0/", "10.0.0.0/33", "::/129", "10.0.0.0/-1", "10.0.0.0/+8", "10.0.0.0/08",
            "10.0.0.0/8/8", "10.0.0.0/8 ", "10/8", "/8", "a/8", "10.0.0.0/1000000000000000000000",
        ])
    func noNetwork(text: String) {
        #expect(IPNetwork(text) == nil)
    }
}
