/// The preferred format of a time in HTTP (RFC 9110 §5.6.7).
enum HTTPDate {
    private static let days = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"]
    private static let months = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ]

    /// `Sun, 06 Nov 1994 08:49:37 GMT` for seconds since 1970; earlier ones count as 1970.
    static func text(secondsSince1970 seconds: Int64) -> String {
        // The year 9999 is the last with four digits.
        let seconds = min(max(0, seconds), 253_402_300_799)
        let (day, rest) = seconds.quotientAndRemainder(dividingBy: 86_400)
        let date = civil(dayOf1970: day)
        let time = [rest / 3600, rest / 60 % 60, rest % 60].map(twoDigits).joined(separator: ":")
        let year = String(date.year)
        return "\(days[Int(day % 7)]), \(twoDigits(date.day)) \(months[date.month - 1]) \(year) \(time) GMT"
    }

    /// The Gregorian date. Years begin in March, so that the leap day is the last of one, and repeat every 400.
    private static func civil(dayOf1970: Int64) -> (year: Int64, month: Int, day: Int64) {
        let shifted = dayOf1970 + 719_468
        let era = shifted / 146_097
        let dayOfEra = shifted % 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let month = (5 * dayOfYear + 2) / 153
        let day = dayOfYear - (153 * month + 2) / 5 + 1
        let isNextYear = month >= 10
        return (yearOfEra + era * 400 + (isNextYear ? 1 : 0), Int(month) + (isNextYear ? -9 : 3), day)
    }

    private static func twoDigits(_ number: Int64) -> String { number < 10 ? "0\(number)" : String(number) }
}
