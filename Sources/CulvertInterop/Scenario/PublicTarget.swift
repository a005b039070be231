/// A server on the internet.
package struct PublicTarget: Decodable, Sendable, Hashable {
    /// `ws`, `wss`, `http` or `https`.
    package let url: String
    /// Who runs it.
    package let title: String

    private enum CodingKeys: String, CodingKey, CaseIterable {
        case url, title
    }

    package init(url: String, title: String) {
        self.url = url
        self.title = title
    }

    package init(from decoder: any Decoder) throws {
        let object = try decoder.strictContainer(keyedBy: CodingKeys.self)
        self.url = try object.decode(String.self, forKey: .url)
        self.title = try object.decode(String.self, forKey: .title)
    }

    package var isWebSocket: Bool { self.url.hasPrefix("ws") }
}
