import NIOCore
import Testing

@testable import CulvertWebSocket

@Suite("Frames on their way to the channel")
struct FrameCollectorTests {
    @Test("what was collected goes out once, in one piece")
    func once() {
        var frames = FrameCollector(most: 100)
        #expect(frames.take() == nil)
        frames.bytes.writeString("one")
        frames.bytes.writeString("two")
        #expect(frames.take() == ByteBuffer(string: "onetwo"))
        #expect(frames.take() == nil)
        frames.bytes.writeString("three")
        #expect(frames.take() == ByteBuffer(string: "three"))
    }

    @Test("what the channel still holds is not written over")
    func held() {
        var frames = FrameCollector(most: 100)
        frames.bytes.writeString("one")
        let held = frames.take()
        frames.bytes.writeString("two")
        #expect(held == ByteBuffer(string: "one"))
        #expect(frames.take() == ByteBuffer(string: "two"))
    }

    @Test("it is full at its limit, and no longer once that is taken")
    func full() {
        var frames = FrameCollector(most: 4)
        frames.bytes.writeString("abc")
        #expect(!frames.isFull)
        frames.bytes.writeString("d")
        #expect(frames.isFull)
        _ = frames.take()
        #expect(!frames.isFull)
    }

    @Test(
        "the memory of small frames is used again, that of large ones is given back",
        arguments: [100, 1 << 20])
    func memory(count: Int) {
        var frames = FrameCollector(most: 100)
        frames.bytes.writeRepeatingByte(1, count: count)
        let capacity = frames.bytes.storageCapacity
        _ = frames.take()
        frames.bytes.writeString("x")
        #expect((frames.bytes.storageCapacity == capacity) == (count == 100))
    }
}
