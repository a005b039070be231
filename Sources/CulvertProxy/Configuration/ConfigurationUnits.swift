/// Durations and sizes as people write them in settings.
enum ConfigurationUnits {
    /// `30`, `30s`, `1.5s`, `500ms`, `10m`, `2h`, `1d`: seconds without a unit, more than 0 and at most a year.
    static func duration(_ text: String) -> Duration? {
        let (number, unit) = self.split(text)
        let milliseconds: [Substring: Double] = [
            "": 1000, "ms": 1, "s": 1000, "m": 60_000, "min": 60_000, "h": 3_600_000, "d": 86_400_000,
        ]
        // The longest bound keeps every sum with it within 64 bits.
        guard let factor = milliseconds[unit], let value = Double(number), value * factor > 0,
            value * factor <= 31_536_000_000
        else { return nil }
        return .milliseconds(Int64((value * factor).rounded(.up)))
    }

    /// `16384`, `16K`, `16KiB`, `10M`, `1G`: powers of 1024; `kB`, `MB`, `GB`: of 1000.
    static func byteCount(_ text: String) -> Int? {
        let (number, unit) = self.split(text)
        let factors: [Substring: Int] = [
            "": 1, "B": 1, "K": 1 << 10, "KiB": 1 << 10, "kB": 1000, "M": 1 << 20, "MiB": 1 << 20,
            "MB": 1_000_000, "G": 1 << 30, "GiB": 1 << 30, "GB": 1_000_000_000,
        ]
        guard let factor = factors[unit], let value = Int(number) else { return nil }
        let (product, overflows) = value.multipliedReportingOverflow(by: factor)
        return overflows ? nil : product
    }

    static func text(_ duration: Duration) -> String {
        let (seconds, attoseconds) = duration.components
        let milliseconds = attoseconds / 1_000_000_000_000_000
        return milliseconds == 0 ? "\(seconds)s" : "\(seconds * 1000 + milliseconds)ms"
    }

    static func text(byteCount: Int) -> String {
        for (unit, size) in [("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10)]
        where byteCount >= size && byteCount.isMultiple(of: size) {
            return "\(byteCount / size)\(unit)"
        }
        return String(byteCount)
    }

    private static func split(_ text: String) -> (number: Substring, unit: Substring) {
        let isOfNumber: (Character) -> Bool = { $0.isASCII && ($0.isNumber || $0 == ".") }
        let number = text.prefix(while: isOfNumber)
        return (number, text[number.endIndex...].drop { $0 == " " })
    }
}
