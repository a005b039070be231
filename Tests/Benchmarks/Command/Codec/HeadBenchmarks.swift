import HTTPWire
import NIOCore

/// Heads through the proxy's machines: what is done for every tunnel and for every forwarded request, without a socket.
struct HeadBenchmarks {
    let stopwatch: Stopwatch

    func run() throws {
        let connect = Self.head([
            "CONNECT 127.0.0.1:8443 HTTP/1.1", "Host: 127.0.0.1:8443", "User-Agent: curl/8.14.1",
            "Proxy-Connection: Keep-Alive",
        ])
        try self.stopwatch.measure("CONNECT", bytes: connect.readableBytes) { try Self.tunnel(connect) }
        let get = Self.head([
            "GET http://127.0.0.1:8080/index.html HTTP/1.1", "Host: 127.0.0.1:8080",
            "User-Agent: curl/8.14.1",
            "Accept: */*", "Proxy-Connection: Keep-Alive",
        ])
        var answer = Self.head([
            "HTTP/1.1 200 OK", "Server: nginx/1.26.3", "Date: Mon, 30 Nov 2026 03:00:00 GMT",
            "Content-Type: text/html", "Content-Length: 1024", "Connection: keep-alive",
        ])
        answer.writeRepeatingByte(UInt8(ascii: "x"), count: 1024)
        let all = answer
        try self.stopwatch.measure("forwarded GET", bytes: all.readableBytes) { try Self.forward(get, all) }
    }

    private static func head(_ lines: [String]) -> ByteBuffer {
        ByteBuffer(string: lines.map { $0 + "\r\n" }.joined() + "\r\n")
    }

    private static func tunnel(_ head: ByteBuffer) throws {
        var machine = ConnectServerMachine(requiresAuthentication: false)
        guard case .authorise = machine.receive(head), case .dial = machine.authorised(),
            case .establish = machine.dialSucceeded()
        else { throw LoadError("the tunnel did not stand") }
    }

    private static func forward(_ head: ByteBuffer, _ answer: ByteBuffer) throws {
        var machine = ConnectServerMachine(requiresAuthentication: false)
        guard case .authorise = machine.receive(head),
            case .forward(let request, let early, _) = machine.authorised()
        else { throw LoadError("the request was not understood") }
        var exchange = ForwardMachine(request, early: early, inputClosed: false, pseudonym: "culvert")
        guard case .send = exchange.originConnected(.origin, isReused: true),
            case .finish(_, let end) = exchange.receiveFromOrigin(answer, now: 0),
            case .needMore = machine.exchangeEnded(
                leftover: end.leftover, inputClosed: end.inputClosed, keepsConnection: end.keepsClient)
        else { throw LoadError("the exchange did not end") }
    }
}
