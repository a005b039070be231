import HTTPWire
import Testing

@testable import ProxyPolicy

@Suite("The access policy")
struct AccessPolicyTests {
    private func request(
        _ target: String, user: String? = nil, roles: Set<String> = [], client: String = "192.0.2.1",
        method: String = "CONNECT"
    ) throws -> AccessRequest {
        AccessRequest(
            user: user, roles: roles, client: IPAddress(client), method: method, target: try Authority(target)
        )
    }

    private func address(_ text: String) throws -> IPAddress { try #require(IPAddress(text)) }

    private static func network(_ text: String) -> IPNetwork {
        guard let network = IPNetwork(text) else { preconditionFailure("\(text) is no network") }
        return network
    }

    private static func names(_ texts: String...) -> [NamePattern] { texts.compactMap { NamePattern($0) } }

    @Test("without rules everything is allowed")
    func open() throws {
        let policy = AccessPolicy()
        #expect(try policy.decide(self.request("127.0.0.1:22"))?.isAllowed == true)
        #expect(try policy.decide(self.request("example.com:25"))?.rule == "default")
    }

    @Test("a port that is not listed is refused to CONNECT, by its number")
    func ports() throws {
        let policy = AccessPolicy { $0.connectPorts = [443, 8443] }
        #expect(try policy.decide(self.request("example.com:8443"))?.isAllowed == true)
        #expect(try policy.decide(self.request("example.com:80", method: "GET"))?.isAllowed == true)
        let denied = try policy.decide(self.request("example.com:22"))
        #expect(denied == .deny("connect-port", "port 22 is not allowed"))
    }

    @Test("the guard judges literals at once and names by their addresses, and no rule opens what it closes")
    func guarded() throws {
        let policy = AccessPolicy {
            $0.addressGuard = .specialPurpose
            $0.rules = [AccessRule(.allow, name: "all")]
        }
        let request = try self.request("example.com:443")
        #expect(policy.decide(request)?.isAllowed == true)
        #expect(try policy.decide(self.request("169.254.169.254:80"))?.rule == "guard")
        #expect(
            policy.decide(request, address: .v4(0x0A00_0001))
                == .deny("guard", "10.0.0.1 is a private address"))
        #expect(policy.decide(request, address: .v4(0x0101_0101)).isAllowed)
    }

    @Test("an exception of the guard is reached, its neighbours are not")
    func exception() throws {
        var policy = AccessPolicy { $0.addressGuard = .specialPurpose }
        policy.addressGuard?.exceptions = [Self.network("10.1.0.0/16")]
        #expect(try policy.decide(self.request("10.1.2.3:443"))?.isAllowed == true)
        #expect(try policy.decide(self.request("10.2.2.3:443"))?.isAllowed == false)
        #expect(try policy.decide(self.request("[::ffff:10.1.2.3]:443"))?.isAllowed == false)
    }

    static let rules = AccessPolicy {
        $0.defaultAction = .deny
        $0.rules = [
            AccessRule(.deny, name: "no-mail") { $0.ports = [25...25, 465...587] },
            AccessRule(.allow, name: "admins") { $0.roles = ["admin"] },
            AccessRule(.deny, name: "bob-not-abroad") {
                $0.users = ["bob"]
                $0.clients = [network("198.51.100.0/24")]
            },
            AccessRule(.allow, name: "web") {
                $0.users = ["*"]
                $0.names = names(".example.com", "*.cdn.test")
                $0.methods = ["CONNECT", "GET"]
            },
            AccessRule(.allow, name: "open-status") { $0.names = names("status.example.net") },
        ]
    }

    struct Case: Sendable {
        var target: String
        var user: String?
        var roles: Set<String> = []
        var client = "192.0.2.1"
        var method = "CONNECT"
        var isAllowed: Bool
        var rule: String
    }

    @Test(
        "the first rule whose every condition holds decides, else the default",
        arguments: [
            Case(target: "www.example.com:443", user: "alice", isAllowed: true, rule: "web"),
            Case(target: "WWW.EXAMPLE.COM.:443", user: "alice", isAllowed: true, rule: "web"),
            Case(target: "www.example.com:443", user: nil, isAllowed: false, rule: "default"),
            Case(
                target: "www.example.com:443", user: "alice", method: "POST", isAllowed: false,
                rule: "default"),
            Case(
                target: "www.example.com:25", user: "root", roles: ["admin"], isAllowed: false,
                rule: "no-mail"),
            Case(target: "www.example.com:587", user: "alice", isAllowed: false, rule: "no-mail"),
            Case(target: "www.example.com:464", user: "alice", isAllowed: true, rule: "web"),
            Case(
                target: "anything.test:443", user: "root", roles: ["admin", "x"], isAllowed: true,
                rule: "admins"),
            Case(target: "anything.test:443", user: "root", roles: ["x"], isAllowed: false, rule: "default"),
            Case(
                target: "www.example.com:443", user: "bob", client: "198.51.100.7", isAllowed: false,
                rule: "bob-not-abroad"),
            Case(
                target: "www.example.com:443", user: "bob", client: "::ffff:198.51.100.7", isAllowed: false,
                rule: "bob-not-abroad"),
            Case(target: "www.example.com:443", user: "bob", isAllowed: true, rule: "web"),
            Case(target: "status.example.net:443", user: nil, isAllowed: true, rule: "open-status"),
            Case(target: "192.0.2.80:443", user: "alice", isAllowed: false, rule: "default"),
        ])
    func firstMatch(row: Case) throws {
        let request = try self.request(
            row.target, user: row.user, roles: row.roles, client: row.client, method: row.method)
        let decision = try #require(Self.rules.decide(request))
        #expect(decision.isAllowed == row.isAllowed)
        #expect(decision.rule == row.rule)
        #expect(!decision.wouldBeDenied)
    }

    @Test("a client without an address is in no network")
    func unixSocket() throws {
        let policy = AccessPolicy {
            $0.defaultAction = .deny
            $0.rules = [AccessRule(.allow, name: "all") { $0.clients = [Self.network("0.0.0.0/0")] }]
        }
        let request = AccessRequest(client: nil, target: try Authority("a.test:1"))
        #expect(policy.decide(request)?.isAllowed == false)
    }

    @Test("rules on networks wait for the addresses, and each address is judged for itself")
    func destinations() throws {
        let policy = AccessPolicy {
            $0.defaultAction = .allow
            $0.rules = [
                AccessRule(.allow, name: "intranet") {
                    $0.destinations = [Self.network("10.1.0.0/16")]
                    $0.names = Self.names(".corp.test")
                },
                AccessRule(.deny, name: "no-private") { $0.destinations = [Self.network("10.0.0.0/8")] },
            ]
        }
        let corp = try self.request("a.corp.test:443")
        #expect(policy.decide(corp) == nil)
        #expect(try policy.decide(corp, address: self.address("10.1.2.3")).rule == "intranet")
        #expect(
            try policy.decide(corp, address: self.address("10.2.2.3"))
                == .deny("no-private", "denied by no-private"))
        #expect(try policy.decide(corp, address: self.address("198.51.100.1")).rule == "default")
        #expect(try policy.decide(self.request("10.2.0.1:443"))?.rule == "no-private")
        #expect(
            try policy.decide(self.request("10.1.0.1:443"))?.rule == "no-private", "a literal has no name")
    }

    @Test("no name is looked up when every answer would be refused")
    func noNeedlessLookup() throws {
        let policy = AccessPolicy {
            $0.defaultAction = .deny
            $0.rules = [
                AccessRule(.deny, name: "no-private") { $0.destinations = [Self.network("10.0.0.0/8")] },
                AccessRule(.allow, name: "web") { $0.names = Self.names(".example.com") },
            ]
        }
        #expect(try policy.decide(self.request("other.test:443"))?.isAllowed == false)
        #expect(try policy.decide(self.request("www.example.com:443")) == nil)
    }

    @Test(
        "a rule that denies a network denies every way to it",
        arguments: [
            "10.0.0.1", "::ffff:10.0.0.1", "::10.0.0.1", "::ffff:0:10.0.0.1", "64:ff9b::10.0.0.1",
            "2002:a00:1::1",
            "2001:0:1::f5ff:fffe", "fe80::5efe:10.0.0.1", "2001:db8::200:5efe:10.0.0.1",
        ])
    func embedded(text: String) throws {
        let policy = AccessPolicy {
            $0.rules = [
                AccessRule(.deny, name: "no-private") { $0.destinations = [Self.network("10.0.0.0/8")] }
            ]
        }
        let request = try self.request("a.test:443")
        #expect(try !policy.decide(request, address: self.address(text)).isAllowed)
        let allowing = AccessPolicy {
            $0.defaultAction = .deny
            $0.rules = [
                AccessRule(.allow, name: "private") { $0.destinations = [Self.network("10.0.0.0/8")] }
            ]
        }
        let isConnectedTo = ["10.0.0.1", "::ffff:10.0.0.1"].contains(text)
        #expect(try allowing.decide(request, address: self.address(text)).isAllowed == isConnectedTo)
    }

    @Test("report mode lets through what rules deny and says so; ports and the guard still count")
    func report() throws {
        var policy = Self.rules
        policy.mode = .report
        policy.addressGuard = .specialPurpose
        let denied = try policy.decide(self.request("www.example.com:25", user: "alice"))
        #expect(denied?.isAllowed == true)
        #expect(denied?.wouldBeDenied == true)
        #expect(denied?.rule == "no-mail")
        #expect(try policy.decide(self.request("www.example.com:443", user: "alice"))?.wouldBeDenied == false)
        #expect(try policy.decide(self.request("127.0.0.1:25"))?.isAllowed == false)
        policy.connectPorts = [443]
        #expect(try policy.decide(self.request("www.example.com:25"))?.isAllowed == false)
    }
}
