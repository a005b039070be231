internal import NIOCore
internal import Synchronization

/// The preferred format of a time in HTTP (RFC 9110 §5.6.7).
enum HTTPDate {
    private static let days: [StaticString] = ["Thu, ", "Fri, ", "Sat, ", "Sun, ", "Mon, ", "Tue, ", "Wed, "]
    private static let months: [StaticString] = [
        " Jan ", " Feb ", " Mar ", " Apr ", " May ", " Jun ", " Jul ", " Aug ", " Sep ", " Oct ", " Nov ",
        " Dec ",
    ]

    /// The last one: many answers have the same second.
    private static let last = Mutex((second: Int64.min, text: ""))

    /// `Sun, 06 Nov 1994 08:49:37 GMT` for seconds since 1970; earlier ones count as 1970.
    static func text(secondsSince1970 seconds: Int64) -> String {
        last.withLock { last in
            if last.second != seconds {
                var buffer = ByteBuffer()
                write(secondsSince1970: seconds, into: &buffer)
                last = (seconds, String(buffer: buffer))
            }
            return last.text
        }
    }

    private static func write(secondsSince1970 seconds: Int64, into buffer: inout ByteBuffer) {
        let date = CivilDate(secondsSince1970: seconds)
        buffer.writeStaticString(days[Int(date.dayOf1970 % 7)])
        writeTwoDigits(date.day, into: &buffer)
        buffer.writeStaticString(months[date.month - 1])
        buffer.writeString(String(date.year))
        buffer.writeStaticString(" ")
        writeTwoDigits(date.hour, into: &buffer)
        buffer.writeStaticString(":")
        writeTwoDigits(date.minute, into: &buffer)
        buffer.writeStaticString(":")
        writeTwoDigits(date.second, into: &buffer)
        buffer.writeStaticString(" GMT")
    }

    private static func writeTwoDigits(_ number: Int64, into buffer: inout ByteBuffer) {
        let zero = UInt8(ascii: "0")
        let (tens, ones) = (zero + UInt8(number / 10), zero + UInt8(number % 10))
        buffer.writeInteger(UInt16(tens) << 8 | UInt16(ones))
    }
}
