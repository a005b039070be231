import CulvertTunnel
import Foundation
import NIOCore

/// `nc` through proxies, on the public API: `swift run netcat HOST:PORT [PROXY-URL]`, for example
/// `swift run netcat db.example:5432 http://alice:secret@proxy.example:3128`. Without a URL the environment names the
/// proxies. `culvert connect` is the same with TLS and more options.
@main
enum NetCat {
    static func main() async {
        let arguments = CommandLine.arguments.dropFirst()
        guard let target = arguments.first, arguments.count <= 2 else {
            fail("usage: netcat HOST:PORT [PROXY-URL]", status: 64)
        }
        do {
            let proxies = try arguments.dropFirst().map { try ProxyHop($0) }
            let proxy = proxies.isEmpty ? ProxySetting.environment : .hops(proxies)
            try await TunnelClient().withTunnel(to: Authority(target), via: proxy) { stream in
                try await relay(stream)
            }
        } catch {
            fail("netcat: \(error)", status: 1)
        }
    }

    /// Both directions at once, until the far end has ended; the end of the input only ends that direction.
    private static func relay(_ stream: TunnelStream) async throws {
        try await withThrowingTaskGroup(of: Bool.self) { group in
            group.addTask {
                for try await bytes in stream {
                    try FileHandle.standardOutput.write(contentsOf: Data(bytes.readableBytesView))
                }
                return true
            }
            group.addTask {
                for await bytes in standardInput() { try await stream.write(ByteBuffer(bytes: bytes)) }
                try await stream.finish()
                return false
            }
            while let isOver = try await group.next(), !isOver {}
            group.cancelAll()
        }
    }

    /// Read on a thread of its own, because a read waits for as long as a person does.
    private static func standardInput() -> AsyncStream<Data> {
        let (stream, continuation) = AsyncStream.makeStream(of: Data.self)
        Thread.detachNewThread {
            while case let bytes = FileHandle.standardInput.availableData, !bytes.isEmpty {
                continuation.yield(bytes)
            }
            continuation.finish()
        }
        return stream
    }

    private static func fail(_ message: String, status: Int32) -> Never {
        FileHandle.standardError.write(Data("\(message)\n".utf8))
        exit(status)
    }
}
