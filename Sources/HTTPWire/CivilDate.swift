/// A date of the Gregorian calendar and a time of day, both UTC.
package struct CivilDate: Sendable, Hashable {
    package let year: Int64
    /// 1…12.
    package let month: Int
    /// 1…31.
    package let day: Int64
    /// Since midnight, 0…86,399.
    package let secondOfDay: Int64
    /// Since Thursday, 1 January 1970.
    package let dayOf1970: Int64

    package var hour: Int64 { secondOfDay / 3600 }
    package var minute: Int64 { secondOfDay / 60 % 60 }
    package var second: Int64 { secondOfDay % 60 }

    /// - Parameter seconds: since 1970. Earlier ones count as 1970, later ones than the year 9999, the last with four
    ///   digits, as its end.
    package init(secondsSince1970 seconds: Int64) {
        (dayOf1970, secondOfDay) = min(max(0, seconds), 253_402_300_799)
            .quotientAndRemainder(dividingBy: 86_400)
        // Years begin in March, so that the leap day is the last of one, and repeat every 400.
        let shifted = dayOf1970 + 719_468
        let era = shifted / 146_097
        let dayOfEra = shifted % 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shiftedMonth = (5 * dayOfYear + 2) / 153
        let isNextYear = shiftedMonth >= 10
        year = yearOfEra + era * 400 + (isNextYear ? 1 : 0)
        month = Int(shiftedMonth) + (isNextYear ? -9 : 3)
        day = dayOfYear - (153 * shiftedMonth + 2) / 5 + 1
    }
}
