/// Comparison whose time tells nothing of where two values differ.
package enum ConstantTime {
    /// Looks at every byte of `given`, whatever `expected` is.
    package static func equal(
        _ expected: some Collection<UInt8>,
        _ given: some Collection<UInt8>
    ) -> Bool {
        let reference = Array(expected)
        var difference: UInt8 = reference.count == given.count ? 0 : 1
        var index = 0
        for byte in given {
            // Past the end of `expected` each byte meets itself: the same work, and the counts already differ.
            difference |= byte ^ (index < reference.count ? reference[index] : byte)
            index += 1
        }
        return difference == 0
    }
}
