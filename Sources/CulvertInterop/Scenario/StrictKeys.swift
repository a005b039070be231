extension Decoder {
    /// A container with these keys and no others: a misspelt one must not be taken for an absent one.
    ///
    /// - Throws: `DecodingError` that names the unknown key.
    func strictContainer<Key: CodingKey & CaseIterable>(
        keyedBy type: Key.Type
    ) throws -> KeyedDecodingContainer<Key> {
        try self.refuseKeys(except: Array(Key.allCases))
        return try self.container(keyedBy: type)
    }

    /// Refuses keys outside of these lists, for an object that several types read.
    ///
    /// - Throws: `DecodingError` that names the unknown key.
    func refuseKeys(except known: [any CodingKey]...) throws {
        let names = Set(known.joined().map(\.stringValue))
        for key in try self.container(keyedBy: AnyKey.self).allKeys where !names.contains(key.stringValue) {
            throw DecodingError.dataCorrupted(
                .init(
                    codingPath: self.codingPath + [key],
                    debugDescription: "unknown key; known are \(names.sorted().joined(separator: ", "))"))
        }
    }
}

extension KeyedDecodingContainer {
    /// The value, or the default where there is none.
    func decode<Value: Decodable>(_ key: Key, default value: Value) throws -> Value {
        try self.decodeIfPresent(Value.self, forKey: key) ?? value
    }
}

extension DecodingError {
    /// Where in the file, and what: `[3].requests[0].options.tunel: unknown key`.
    var placeAndReason: String {
        let (context, key): (Context, (any CodingKey)?) =
            switch self {
            case .typeMismatch(_, let context), .valueNotFound(_, let context), .dataCorrupted(let context):
                (context, nil)
            case .keyNotFound(let key, let context): (context, key)
            @unknown default: (Context(codingPath: [], debugDescription: "\(self)"), nil)
            }
        var place = ""
        for key in context.codingPath + (key.map { [$0] } ?? []) {
            if let index = key.intValue {
                place += "[\(index)]"
            } else {
                place += (place.isEmpty ? "" : ".") + key.stringValue
            }
        }
        return "\(place.isEmpty ? "the file" : place): \(key == nil ? context.debugDescription : "missing")"
    }
}

private struct AnyKey: CodingKey {
    let stringValue: String
    let intValue: Int?

    init(stringValue: String) {
        self.stringValue = stringValue
        self.intValue = nil
    }

    init(intValue: Int) {
        self.stringValue = "\(intValue)"
        self.intValue = intValue
    }
}
