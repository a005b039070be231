import HTTPTypes
import Testing

@testable import WebSocketWire

@Suite("Comma-separated fields")
struct FieldListTests {
    @Test(
        "elements",
        arguments: [
            ("", []), (" , ,", []), ("a", ["a"]), ("a,b", ["a", "b"]),
            (" a ,\tb; x=1 , c", ["a", "b; x=1", "c"]),
            (#"a; q="1,2", b"#, [#"a; q="1,2""#, "b"]), (#"a; q="\",", b"#, [#"a; q="\",""#, "b"]),
            (#"a", b"#, [#"a", b"#]),
        ] as [(String, [String])])
    func split(value: String, expected: [String]) {
        #expect(FieldList.split(value) == expected)
    }

    @Test("several lines are one list")
    func lines() {
        var fields = HTTPFields()
        fields.append(HTTPField(name: .connection, value: "keep-alive"))
        fields.append(HTTPField(name: .connection, value: "x, UpGrade"))
        #expect(FieldList.elements(.connection, in: fields) == ["keep-alive", "x", "UpGrade"])
        #expect(FieldList.contains("upgrade", .connection, in: fields))
        #expect(!FieldList.contains("up", .connection, in: fields))
        #expect(!FieldList.contains("upgrade", .upgrade, in: fields))
    }

    @Test(
        "the name of an extension is what stands before its parameters",
        arguments: [
            ("permessage-deflate", "permessage-deflate"), ("Permessage-Deflate ; a=1", "permessage-deflate"),
            ("; a", ""),
        ])
    func extensionName(text: String, expected: String) {
        #expect(FieldList.name(ofExtension: text) == expected)
        #expect(FieldList.isToken(expected) == !expected.isEmpty)
    }

    @Test(
        "tokens",
        arguments: [
            ("chat", true), ("a.b~!#$%&'*+-^_`|9Z", true), ("", false), ("a b", false), ("a,b", false),
            ("é", false), ("a\r", false), ("(a)", false),
        ])
    func tokens(text: String, expected: Bool) {
        #expect(FieldList.isToken(text) == expected)
    }
}
