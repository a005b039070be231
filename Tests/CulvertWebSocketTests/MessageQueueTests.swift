import NIOCore
import Synchronization
import Testing
import WebSocketWire

@testable import CulvertWebSocket

@Suite("The queue between the socket and its consumer")
struct MessageQueueTests {
    private func message(_ count: Int) -> MessageQueue.Item {
        .message(.binary(ByteBuffer(repeating: 0, count: count)))
    }

    @Test("a pause lasts until the queue is drained to the low mark, whatever comes in between")
    func pause() async throws {
        let queue = MessageQueue(watermarks: WebSocketWatermarks(low: 500, high: 2000))
        let drains = Mutex(0)
        func take() async throws { _ = try await queue.next(onProgress: { drains.withLock { $0 += 1 } }) }

        #expect(queue.push(self.message(1000)))
        #expect(!queue.push(self.message(1500)))
        try await take()
        #expect(drains.withLock { $0 } == 0)
        // Below the high mark again, but not yet drained: reading must not be told to go on twice, or never.
        #expect(!queue.push(self.message(100)))
        try await take()
        #expect(drains.withLock { $0 } == 1)
        #expect(queue.push(self.message(100)))
    }

    @Test("empty messages count too")
    func overhead() {
        let queue = MessageQueue(watermarks: WebSocketWatermarks(low: 0, high: 1000))
        let accepted = (0..<1000).prefix { _ in queue.push(.message(.text(""))) }.count
        #expect(accepted < 100)
    }

    @Test("of two consumers at a time one is told, and the other goes on")
    func twoConsumers() async throws {
        let queue = MessageQueue(watermarks: WebSocketWatermarks(low: 0, high: 1000))
        await withTaskGroup(of: Result<MessageQueue.Item?, any Error>.self) { group in
            for _ in 0..<2 {
                group.addTask {
                    do { return .success(try await queue.next(onProgress: {})) } catch {
                        return .failure(error)
                    }
                }
            }
            let first = await group.next()
            #expect(throws: WebSocketError.self) { try first?.get() }
            _ = queue.push(.message(.text("for the other")))
            let second = await group.next()
            #expect(throws: Never.self) { try second?.get() == .message(.text("for the other")) }
        }
    }

    @Test("queued messages come before the end, and only the first end counts")
    func end() async throws {
        let queue = MessageQueue(watermarks: WebSocketWatermarks(low: 0, high: 1000))
        _ = queue.push(.message(.text("last")))
        queue.finish(.finished, close: WebSocketClose(code: .normalClosure))
        queue.finish(.failed(.connectionLost("late")), close: WebSocketClose(code: .abnormalClosure))
        #expect(try await queue.next(onProgress: {}) == .message(.text("last")))
        #expect(try await queue.next(onProgress: {}) == nil)
        #expect(queue.close?.code == .normalClosure)
    }
}
