import Testing

@testable import CulvertProxy

@Suite("The service manager")
struct ServiceManagerTests {
    @Test(
        "only sockets that were passed to this very process count",
        arguments: [
            (["LISTEN_PID": "7", "LISTEN_FDS": "2"], 2), (["LISTEN_PID": "8", "LISTEN_FDS": "2"], 0),
            (["LISTEN_FDS": "2"], 0), (["LISTEN_PID": "7"], 0), (["LISTEN_PID": "7", "LISTEN_FDS": "0"], 0),
            (["LISTEN_PID": "7", "LISTEN_FDS": "-1"], 0), (["LISTEN_PID": "7", "LISTEN_FDS": "99999999"], 0),
            (["LISTEN_PID": "x", "LISTEN_FDS": "2"], 0), ([:], 0),
        ] as [([String: String], Int)])
    func passedSockets(environment: [String: String], count: Int) {
        #expect(PassedSocket.count(in: environment, process: 7) == count)
    }

    @Test("it is told in the words of sd_notify")
    func messages() {
        #expect(ServiceManager.message(.ready, monotonicMicroseconds: 5) == "READY=1")
        #expect(ServiceManager.message(.stopping, monotonicMicroseconds: 5) == "STOPPING=1")
        #expect(
            ServiceManager.message(.reloading, monotonicMicroseconds: 5) == "RELOADING=1\nMONOTONIC_USEC=5")
    }

    @Test("its socket is a path or an abstract name")
    func sockets() {
        #expect(ServiceManager(socket: "/run/systemd/notify") != nil)
        #expect(ServiceManager(socket: "@notify") != nil)
        #expect(ServiceManager(socket: "vsock:2:1") == nil)
        #expect(ServiceManager(socket: "/" + String(repeating: "n", count: 104)) == nil)
    }
}
