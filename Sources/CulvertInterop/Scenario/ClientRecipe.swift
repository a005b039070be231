/// A client of another maker, which goes through `culvert proxy` to our origin.
///
/// It prints `pass CHECK` or `fail CHECK reason` for each thing it tried. Besides a peer's placeholders: `{url}`,
/// `{https}`, `{proxy}`.
package struct ClientRecipe: Decodable, Sendable, Hashable {
    package let peer: PeerRecipe
    /// What it must have passed.
    package let checks: [String]
    /// It cannot use a proxy for what it does, and talks to the origin directly.
    package let isDirect: Bool
    /// Whether `{url}` is a `wss` URL.
    package let isSecure: Bool

    private enum CodingKeys: String, CodingKey, CaseIterable {
        case checks, direct, secure
    }

    package init(from decoder: any Decoder) throws {
        try decoder.refuseKeys(except: CodingKeys.allCases, PeerRecipe.CodingKeys.allCases)
        self.peer = try PeerRecipe(from: decoder)
        let object = try decoder.container(keyedBy: CodingKeys.self)
        self.checks = try object.decode([String].self, forKey: .checks)
        self.isDirect = try object.decode(.direct, default: false)
        self.isSecure = try object.decode(.secure, default: true)
    }
}
