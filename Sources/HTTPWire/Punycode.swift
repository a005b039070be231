/// Punycode (RFC 3492): a label of any letters as ASCII.
enum Punycode {
    private static let base: UInt32 = 36
    private static let tMin: UInt32 = 1
    private static let tMax: UInt32 = 26
    private static let initialBias: UInt32 = 72
    private static let initialN: UInt32 = 128

    /// The encoded label without `xn--`; `nil` on overflow. Callers bound the input.
    static func encode(_ label: some Collection<Unicode.Scalar>) -> String? {
        var output = label.filter(\.isASCII).map { UInt8(truncatingIfNeeded: $0.value) }
        let basicCount = UInt32(output.count)
        if basicCount > 0 { output.append(UInt8(ascii: "-")) }
        var n = initialN
        var delta: UInt32 = 0
        var bias = initialBias
        var handled = basicCount
        while handled < UInt32(label.count) {
            guard let m = label.lazy.map(\.value).filter({ $0 >= n }).min() else { return nil }
            let (step, stepOverflow) = (m - n).multipliedReportingOverflow(by: handled + 1)
            let (sum, sumOverflow) = delta.addingReportingOverflow(step)
            if stepOverflow || sumOverflow { return nil }
            delta = sum
            n = m
            for scalar in label {
                if scalar.value < n {
                    let (next, overflow) = delta.addingReportingOverflow(1)
                    if overflow { return nil }
                    delta = next
                } else if scalar.value == n {
                    appendInteger(delta, bias: bias, to: &output)
                    bias = adapt(delta, points: handled + 1, first: handled == basicCount)
                    delta = 0
                    handled += 1
                }
            }
            let (next, overflow) = delta.addingReportingOverflow(1)
            if overflow { return nil }
            delta = next
            n += 1
        }
        return String(decoding: output, as: UTF8.self)
    }

    /// The scalars of an encoded label without `xn--`; `nil` when it is malformed.
    static func decode(_ text: ArraySlice<UInt8>) -> [Unicode.Scalar]? {
        var output: [Unicode.Scalar] = []
        var input = text
        if let hyphen = text.lastIndex(of: UInt8(ascii: "-")) {
            output = text[..<hyphen].map { Unicode.Scalar($0) }
            input = text[text.index(after: hyphen)...]
        }
        guard output.allSatisfy(\.isASCII) else { return nil }
        var n = initialN
        var i: UInt32 = 0
        var bias = initialBias
        var first = true
        while !input.isEmpty {
            guard let delta = readInteger(&input, bias: bias) else { return nil }
            let (sum, overflow) = i.addingReportingOverflow(delta)
            if overflow { return nil }
            let length = UInt32(output.count) + 1
            bias = adapt(delta, points: length, first: first)
            first = false
            let (next, tooLarge) = n.addingReportingOverflow(sum / length)
            guard !tooLarge, let scalar = Unicode.Scalar(next) else { return nil }
            n = next
            i = sum % length
            output.insert(scalar, at: Int(i))
            i += 1
        }
        return output
    }

    private static func threshold(_ k: UInt32, _ bias: UInt32) -> UInt32 {
        k <= bias ? tMin : min(tMax, max(tMin, k - bias))
    }

    private static func appendInteger(_ value: UInt32, bias: UInt32, to output: inout [UInt8]) {
        var q = value
        var k = base
        while true {
            let t = threshold(k, bias)
            if q < t { break }
            output.append(digit(t + (q - t) % (base - t)))
            q = (q - t) / (base - t)
            k += base
        }
        output.append(digit(q))
    }

    /// Takes one variable-length integer off the front.
    private static func readInteger(_ input: inout ArraySlice<UInt8>, bias: UInt32) -> UInt32? {
        var value: UInt32 = 0
        var weight: UInt32 = 1
        var k = base
        while let byte = input.popFirst() {
            let digit: UInt32
            switch byte {
            case 0x30...0x39: digit = UInt32(byte) - 0x30 + 26
            case 0x41...0x5a: digit = UInt32(byte) - 0x41
            case 0x61...0x7a: digit = UInt32(byte) - 0x61
            default: return nil
            }
            let (step, stepOverflow) = digit.multipliedReportingOverflow(by: weight)
            let (sum, sumOverflow) = value.addingReportingOverflow(step)
            if stepOverflow || sumOverflow { return nil }
            value = sum
            let t = threshold(k, bias)
            if digit < t { return value }
            let (next, overflow) = weight.multipliedReportingOverflow(by: base - t)
            if overflow { return nil }
            weight = next
            k += base
        }
        return nil
    }

    private static func digit(_ value: UInt32) -> UInt8 {
        UInt8(truncatingIfNeeded: value < 26 ? value + 0x61 : value - 26 + 0x30)
    }

    private static func adapt(_ delta: UInt32, points: UInt32, first: Bool) -> UInt32 {
        var delta = first ? delta / 700 : delta / 2
        delta += delta / points
        var k: UInt32 = 0
        while delta > (base - tMin) * tMax / 2 {
            delta /= base - tMin
            k += base
        }
        return k + (base - tMin + 1) * delta / (delta + 38)
    }
}
