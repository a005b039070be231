import HTTPWire

/// Lines of a log, put together as bytes: a busy proxy writes tens of thousands a second.
struct LogText {
    private(set) var bytes: [UInt8] = []

    var string: String { String(decoding: self.bytes, as: UTF8.self) }

    /// Keeps its memory, but for that of a rare rush.
    mutating func removeAll() { self.bytes.removeAll(keepingCapacity: self.bytes.capacity <= 256 << 10) }

    mutating func add(_ text: String) { self.bytes.append(contentsOf: text.utf8) }

    mutating func add(_ byte: UInt8) { self.bytes.append(byte) }

    mutating func endLine() { self.bytes.append(UInt8(ascii: "\n")) }

    /// In decimal, filled up on the left to so many places.
    mutating func add(_ number: UInt64, width: Int = 1, filler: UInt8 = UInt8(ascii: "0")) {
        var (rest, divisor, places) = (number, UInt64(1), 1)
        while rest >= 10 {
            (rest, divisor, places) = (rest / 10, divisor * 10, places + 1)
        }
        for _ in places..<max(places, width) { self.bytes.append(filler) }
        while divisor > 0 {
            self.bytes.append(UInt8(ascii: "0") + UInt8(truncatingIfNeeded: number / divisor % 10))
            divisor /= 10
        }
    }

    /// As ``add(_:width:filler:)``, with a sign in front.
    mutating func add(_ number: Int64) {
        if number < 0 { self.bytes.append(UInt8(ascii: "-")) }
        self.add(number.magnitude)
    }

    /// `\u001B`, where JSON needs it.
    mutating func add(escaped scalar: Unicode.Scalar) {
        self.add("\\u")
        for shift in [12, 8, 4, 0] {
            let digit = UInt8(truncatingIfNeeded: scalar.value >> UInt32(shift)) & 0xF
            self.bytes.append(ASCII.hexDigit(digit, ten: UInt8(ascii: "a")))
        }
    }

    /// `%1B`, where blanks part the fields.
    mutating func add(percentEncoded byte: UInt8) {
        self.bytes.append(UInt8(ascii: "%"))
        self.bytes.append(ASCII.hexDigit(byte >> 4))
        self.bytes.append(ASCII.hexDigit(byte & 0xF))
    }
}
