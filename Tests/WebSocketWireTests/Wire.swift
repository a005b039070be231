import NIOCore
import WebSocketWire

/// Bytes of the wire, written in tests as hexadecimal with spaces, and machines that are fed with them.
enum Wire {
    static func hex(_ text: String) -> ByteBuffer {
        var buffer = ByteBuffer()
        var high: UInt8?
        for character in text where !character.isWhitespace {
            let digit = UInt8(character.hexDigitValue ?? 0)
            if let first = high {
                buffer.writeInteger(first << 4 | digit)
                high = nil
            } else {
                high = digit
            }
        }
        return buffer
    }

    /// A frame from a peer that may break any rule: nothing is checked or shortened here.
    static func frame(
        _ first: UInt8, _ payload: [UInt8] = [], mask: UInt32? = nil, length: UInt64? = nil,
        lengthBytes: Int? = nil
    ) -> ByteBuffer {
        var buffer = ByteBuffer()
        let count = length ?? UInt64(payload.count)
        let maskBit: UInt8 = mask == nil ? 0 : 0x80
        buffer.writeInteger(first)
        switch lengthBytes ?? (count < 126 ? 0 : count <= 0xFFFF ? 2 : 8) {
        case 0: buffer.writeInteger(maskBit | UInt8(truncatingIfNeeded: count))
        case 2: buffer.writeMultipleIntegers(maskBit | 126, UInt16(truncatingIfNeeded: count))
        default: buffer.writeMultipleIntegers(maskBit | 127, count)
        }
        if let mask {
            buffer.writeInteger(mask)
            let key = (0..<4).map { UInt8(truncatingIfNeeded: mask >> (24 - 8 * UInt32($0))) }
            buffer.writeBytes(payload.enumerated().map { $1 ^ key[$0 % 4] })
        } else {
            buffer.writeBytes(payload)
        }
        return buffer
    }

    static func join(_ buffers: [ByteBuffer]) -> ByteBuffer {
        var all = ByteBuffer()
        for buffer in buffers { all.writeImmutableBuffer(buffer) }
        return all
    }

    static func machine(
        _ role: WebSocketRole, limits: WebSocketLimits = WebSocketLimits(),
        transform: (any PayloadTransform)? = nil
    ) -> WebSocketMachine {
        WebSocketMachine(role: role, limits: limits, maskingKey: { 0x37fa_213d }, transform: transform)
    }
}

/// What a machine said and wrote.
struct Outcome: Equatable {
    var actions: [WebSocketMachine.Action] = []
    var outbound = ByteBuffer()
}

extension WebSocketMachine {
    /// Every action up to `.needMore`.
    mutating func drain(into outcome: inout Outcome) {
        while true {
            let action = nextAction(outbound: &outcome.outbound)
            if case .needMore = action { return }
            outcome.actions.append(action)
        }
    }

    /// Feeds the pieces one after the other.
    mutating func feed(_ pieces: [ByteBuffer]) -> Outcome {
        var outcome = Outcome()
        for piece in pieces {
            receive(piece)
            drain(into: &outcome)
        }
        return outcome
    }

    mutating func feed(_ piece: ByteBuffer) -> Outcome {
        feed([piece])
    }
}

extension ByteBuffer {
    /// One buffer per byte.
    var singleBytes: [ByteBuffer] {
        readableBytesView.map { ByteBuffer(bytes: [$0]) }
    }

    func split(at index: Int) -> [ByteBuffer] {
        [
            ByteBuffer(bytes: readableBytesView.prefix(index)),
            ByteBuffer(bytes: readableBytesView.dropFirst(index)),
        ]
    }
}

/// SplitMix64: the same numbers every run.
struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var value = state
        value = (value ^ (value >> 30)) &* 0xBF58_476D_1CE4_E5B9
        value = (value ^ (value >> 27)) &* 0x94D0_49BB_1331_11EB
        return value ^ (value >> 31)
    }
}

extension Array {
    /// A random element, or `fallback` of an empty array.
    func randomElement(using generator: inout SeededGenerator, or fallback: Element) -> Element {
        randomElement(using: &generator) ?? fallback
    }
}
