/// A moment by calendar and clock, and the functions of scripts that ask for it.
package struct PACMoment: Sendable, Hashable {
    package var year: Int
    /// 1…12.
    package var month: Int
    /// 1…31.
    package var day: Int
    /// Sunday is 0.
    package var weekday: Int
    package var hour: Int
    package var minute: Int
    package var second: Int

    package init(year: Int, month: Int, day: Int, weekday: Int, hour: Int, minute: Int, second: Int) {
        self.year = year
        self.month = month
        self.day = day
        self.weekday = weekday
        self.hour = hour
        self.minute = minute
        self.second = second
    }

    private static let weekdays = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"]
    private static let months = [
        "JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC",
    ]

    /// `weekdayRange("MON", "FRI", "GMT")`; a range may go over the end of the week.
    static func isInWeekdays(_ arguments: [String], now: (_ isGMT: Bool) -> PACMoment) -> Bool {
        let (values, isGMT) = self.withoutZone(arguments)
        let days = values.map { self.weekdays.firstIndex(of: $0.uppercased()) }
        guard (1...2).contains(days.count), let first = days[0], let last = days[days.count - 1] else {
            return false
        }
        return self.isBetween([first], [now(isGMT).weekday], [last])
    }

    /// `timeRange(9)`, `timeRange(9, 17)` up to the end of that hour, `timeRange(9, 30, 17, 15)` up to the end of that
    /// minute, and with seconds; a range may go over midnight.
    static func isInTimes(_ arguments: [String], now: (_ isGMT: Bool) -> PACMoment) -> Bool {
        let (values, isGMT) = self.withoutZone(arguments)
        let numbers = values.compactMap(Self.number)
        guard numbers.count == values.count, [1, 2, 4, 6].contains(numbers.count) else { return false }
        let moment = now(isGMT)
        let size = max(1, numbers.count / 2)
        let clock = [moment.hour, moment.minute, moment.second].prefix(size)
        return self.isBetween(Array(numbers.prefix(size)), Array(clock), Array(numbers.suffix(size)))
    }

    /// `dateRange(1)`, `dateRange("JAN", "MAR")`, `dateRange(24, "DEC", 6, "JAN")`, `dateRange("JUN", 1995, "MAR", 1996)`
    /// and the rest: days, months and years, one alone or the same kinds twice. A range without years may go over the
    /// end of one.
    static func isInDates(_ arguments: [String], now: (_ isGMT: Bool) -> PACMoment) -> Bool {
        let (values, isGMT) = self.withoutZone(arguments)
        let parts = values.compactMap(Part.init)
        guard parts.count == values.count, [1, 2, 4, 6].contains(parts.count) else { return false }
        let size = max(1, parts.count / 2)
        let first = parts.prefix(size).sorted { $0.rank < $1.rank }
        let last = parts.suffix(size).sorted { $0.rank < $1.rank }
        guard first.map(\.rank) == last.map(\.rank), Set(first.map(\.rank)).count == size else {
            return false
        }
        let moment = now(isGMT)
        return self.isBetween(first.map(\.value), first.map { $0.of(moment) }, last.map(\.value))
    }

    /// Day, month or year, told apart by their looks.
    private struct Part {
        /// Years count most.
        let rank: Int
        let value: Int

        init?(_ text: String) {
            if let month = PACMoment.months.firstIndex(of: text.uppercased()) {
                (self.rank, self.value) = (1, month + 1)
            } else if let number = PACMoment.number(text) {
                (self.rank, self.value) = ((1...31).contains(number) ? 2 : 0, number)
            } else {
                return nil
            }
        }

        func of(_ moment: PACMoment) -> Int {
            switch self.rank {
            case 0: moment.year
            case 1: moment.month
            default: moment.day
            }
        }
    }

    /// Compared from left to right; a first that is behind the last is a range over the turn.
    private static func isBetween(_ first: [Int], _ value: [Int], _ last: [Int]) -> Bool {
        let isFromFirst = !value.lexicographicallyPrecedes(first)
        let isToLast = !last.lexicographicallyPrecedes(value)
        return last.lexicographicallyPrecedes(first) ? isFromFirst || isToLast : isFromFirst && isToLast
    }

    private static func withoutZone(_ arguments: [String]) -> (values: [String], isGMT: Bool) {
        let isGMT = arguments.last?.uppercased() == "GMT"
        let values = isGMT ? Array(arguments.dropLast()) : arguments
        // `weekdayRange("MON", undefined)` is what some generators write.
        return (values.filter { $0 != "undefined" && $0 != "null" }, isGMT)
    }

    private static func number(_ text: String) -> Int? {
        guard let number = Int(text), (0...9999).contains(number) else { return nil }
        return number
    }
}
