import CulvertInterop
import Testing

@Suite("causes")
struct CauseTests {
    @Test("a failure reads as its cause and the detail")
    func description() {
        let failure = InteropFailure(.proxyRefused(status: 403), "port 22")
        #expect(failure.description == "refused by the proxy (403): port 22")
        #expect("\(Cause.proxyRefused(status: nil))" == "refused by the proxy")
    }
}
