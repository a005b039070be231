import Testing

@testable import HTTPWire

@Suite("Base64")
struct Base64Tests {
    @Test(
        "RFC 4648 §10",
        arguments: [
            ("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg=="),
            ("fooba", "Zm9vYmE="),
            ("foobar", "Zm9vYmFy"),
        ])
    func vectors(plain: String, encoded: String) {
        #expect(Base64.encode(Array(plain.utf8)) == encoded)
        #expect(Base64.decode(encoded) == Array(plain.utf8))
    }

    @Test("every byte in every place comes back")
    func roundTrip() {
        for byte in UInt8.min...UInt8.max {
            for bytes in [[byte], [1, byte], [1, 2, byte], [byte, 0xFF, 0xFF, byte]] {
                #expect(Base64.decode(Base64.encode(bytes)) == bytes)
            }
        }
        #expect(Base64.encode([0xFB, 0xFF]) == "+/8=")
    }

    @Test(
        "what the encoder does not write is refused",
        arguments: [
            "Z", "Zg", "Zg=", "Zg===", "Zh==", "Zm9=", "Zm 9v", "Zm9v\n", "Zm-_", "=m9v", "Z=9v", "====",
            "Zgéé",
        ])
    func strict(text: String) {
        #expect(Base64.decode(text) == nil)
    }
}
