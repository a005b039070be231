import Testing

/// Expects the same bytes, and tells where the first difference is.
///
/// `#expect(a == b)` on megabytes that differ would compute their edit script for minutes.
func expectSame(
    _ actual: [UInt8], _ expected: [UInt8], _ said: String, sourceLocation: SourceLocation = #_sourceLocation
) {
    let common = zip(actual, expected)
    let difference = common.enumerated().first { $0.element.0 != $0.element.1 }?.offset
    let same = difference == nil && actual.count == expected.count
    let position = difference.map { "first differ at \($0)" } ?? "agree as far as both go"
    #expect(
        same, "\(actual.count) bytes, expected \(expected.count); they \(position). \(said)",
        sourceLocation: sourceLocation)
}
