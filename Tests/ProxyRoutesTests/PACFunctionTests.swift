import HTTPWire
import Testing

@testable import ProxyRoutes

/// A world with three names, at half past nine on Tuesday, 24 November 2026, two hours behind Greenwich.
private final class World: PACFunction.World {
    var alerts: [String] = []
    var moment = PACMoment(year: 2026, month: 11, day: 24, weekday: 2, hour: 9, minute: 30, second: 15)

    func addresses(of name: String) -> [IPAddress] {
        let names = [
            "host.example": ["10.1.2.3", "2001:db8::3"], "six.example": ["2001:db8::6"],
            "public.example": ["203.0.113.9"],
        ]
        return (names[name] ?? []).compactMap { IPAddress($0) }
    }

    var ownAddresses: [IPAddress] { [.v4(0xC000_0205)] }

    func now(isGMT: Bool) -> PACMoment {
        var moment = self.moment
        if isGMT { moment.hour += 2 }
        return moment
    }

    func alert(_ message: String) { self.alerts.append(message) }
}

@Suite("Functions of PAC scripts")
struct PACFunctionTests {
    private func call(_ function: PACFunction, _ arguments: String...) -> PACFunction.Value {
        function.call(arguments, World())
    }

    @Test(
        "names",
        arguments: [
            (.isPlainHostName, ["www"], true), (.isPlainHostName, ["www.example"], false),
            (.isPlainHostName, ["::1"], false), (.isPlainHostName, [], true),
            (.dnsDomainIs, ["www.example.com", ".example.com"], true),
            (.dnsDomainIs, ["WWW.Example.com", ".example.com"], true),
            (.dnsDomainIs, ["www", ".example.com"], false),
            (.dnsDomainIs, ["example.com", ".example.com"], false), (.dnsDomainIs, ["www", ""], false),
            (.localHostOrDomainIs, ["www.example.com", "www.example.com"], true),
            (.localHostOrDomainIs, ["www", "www.example.com"], true),
            (.localHostOrDomainIs, ["www.example.org", "www.example.com"], false),
            (.localHostOrDomainIs, ["ww", "www.example.com"], false),
            (.shExpMatch, ["www.example.com", "*.example.com"], true),
            (.shExpMatch, ["www.example.com", "*.example.org"], false),
            (.shExpMatch, ["http://a/b/c", "*/b/*"], true), (.shExpMatch, ["abc", "a?c"], true),
            (.shExpMatch, ["abc", "a?"], false), (.shExpMatch, ["", "*"], true),
            (.shExpMatch, ["", "?"], false),
            (.shExpMatch, ["a.c", "a.c"], true), (.shExpMatch, ["abc", "a.c"], false),
            (.shExpMatch, ["aaab", "a*ab"], true), (.shExpMatch, ["a[b", "a[b"], true),
        ] as [(PACFunction, [String], Bool)])
    func names(function: PACFunction, arguments: [String], expected: Bool) {
        #expect(function.call(arguments, World()) == .boolean(expected), "\(function)\(arguments)")
    }

    @Test("a pattern of many stars takes no time to speak of")
    func manyStars() {
        let text = String(repeating: "a", count: 2000)
        let pattern = String(repeating: "a*", count: 500) + "b"
        #expect(self.call(.shExpMatch, text, pattern) == .boolean(false))
    }

    @Test(
        "addresses",
        arguments: [
            (.isResolvable, ["host.example"], .boolean(true)),
            (.isResolvable, ["six.example"], .boolean(false)),
            (.isResolvableEx, ["six.example"], .boolean(true)),
            (.isResolvableEx, ["no.example"], .boolean(false)),
            (.isInNet, ["host.example", "10.0.0.0", "255.0.0.0"], .boolean(true)),
            (.isInNet, ["10.9.9.9", "10.0.0.0", "255.0.0.0"], .boolean(true)),
            (.isInNet, ["11.9.9.9", "10.0.0.0", "255.0.0.0"], .boolean(false)),
            (.isInNet, ["no.example", "10.0.0.0", "255.0.0.0"], .boolean(false)),
            (.isInNet, ["10.9.9.9", "10.0.0", "255.0.0.0"], .boolean(false)),
            (.isInNet, ["10.9.9.9"], .boolean(false)),
            (.isInNetEx, ["2001:db8::9", "2001:db8::/32"], .boolean(true)),
            (.isInNetEx, ["10.1.1.1", "10.0.0.0/8"], .boolean(true)),
            (.isInNetEx, ["host.example", "10.0.0.0/8"], .boolean(false)),
            (.dnsResolve, ["host.example"], .text("10.1.2.3")), (.dnsResolve, ["six.example"], .null),
            (.dnsResolve, ["192.0.2.1"], .text("192.0.2.1")), (.dnsResolve, ["no.example"], .null),
            (.dnsResolveEx, ["host.example"], .text("10.1.2.3;2001:db8::3")),
            (.dnsResolveEx, ["no.example"], .text("")),
            (.myIpAddress, [], .text("192.0.2.5")), (.myIpAddressEx, [], .text("192.0.2.5")),
            (
                .sortIpAddressList, ["10.2.3.9;2001:4898:28:3::7;::1;127.0.0.1"],
                .text("::1;2001:4898:28:3::7;10.2.3.9;127.0.0.1")
            ),
            (.sortIpAddressList, ["10.2.3.9;x"], .boolean(false)),
            (.sortIpAddressList, [""], .boolean(false)),
            (.dnsDomainLevels, ["www"], .number(0)), (.dnsDomainLevels, ["a.b.c"], .number(2)),
            (.getClientVersion, [], .text("1.0")),
        ] as [(PACFunction, [String], PACFunction.Value)])
    func addresses(function: PACFunction, arguments: [String], expected: PACFunction.Value) {
        #expect(function.call(arguments, World()) == expected, "\(function)\(arguments)")
    }

    @Test(
        "time: it is Tuesday, 24 November 2026, 09:30:15, and 11:30:15 in Greenwich",
        arguments: [
            (.weekdayRange, ["TUE"], true), (.weekdayRange, ["MON", "FRI"], true),
            (.weekdayRange, ["WED", "SUN"], false),
            (.weekdayRange, ["FRI", "TUE"], true), (.weekdayRange, ["FRI", "MON"], false),
            (.weekdayRange, ["tue", "GMT"], true), (.weekdayRange, ["TUE", "undefined"], true),
            (.weekdayRange, ["DAY"], false), (.weekdayRange, [], false),
            (.timeRange, ["9"], true), (.timeRange, ["10"], false), (.timeRange, ["11", "GMT"], true),
            (.timeRange, ["8", "9"], true), (.timeRange, ["9", "17"], true),
            (.timeRange, ["10", "17"], false),
            (.timeRange, ["23", "9"], true), (.timeRange, ["23", "8"], false),
            (.timeRange, ["9", "30", "9", "30"], true), (.timeRange, ["9", "31", "17", "0"], false),
            (.timeRange, ["9", "30", "15", "9", "30", "15"], true),
            (.timeRange, ["9", "30", "16", "9", "31", "0"], false),
            (.timeRange, ["9", "30", "9"], false), (.timeRange, ["x"], false),
            (.dateRange, ["24"], true), (.dateRange, ["23"], false), (.dateRange, ["NOV"], true),
            (.dateRange, ["2026"], true),
            (.dateRange, ["2025"], false), (.dateRange, ["1", "15"], false), (.dateRange, ["20", "5"], true),
            (.dateRange, ["OCT", "DEC"], true), (.dateRange, ["DEC", "FEB"], false),
            (.dateRange, ["NOV", "FEB"], true),
            (.dateRange, ["2025", "2027"], true), (.dateRange, ["24", "NOV", "6", "JAN"], true),
            (.dateRange, ["25", "NOV", "6", "JAN"], false),
            (.dateRange, ["NOV", "2026", "MAR", "2027"], true),
            (.dateRange, ["DEC", "2026", "MAR", "2027"], false),
            (.dateRange, ["1", "JUN", "1995", "15", "AUG", "1995"], false),
            (.dateRange, ["1", "JUN", "2026", "24", "NOV", "2026"], true),
            (.dateRange, ["1", "NOV"], false), (.dateRange, ["24", "NOV", "2026", "NOV"], false),
        ] as [(PACFunction, [String], Bool)])
    func time(function: PACFunction, arguments: [String], expected: Bool) {
        #expect(function.call(arguments, World()) == .boolean(expected), "\(function)\(arguments)")
    }

    @Test("alert tells")
    func alert() {
        let world = World()
        #expect(PACFunction.alert.call(["hello"], world) == .null)
        #expect(world.alerts == ["hello"])
    }
}
