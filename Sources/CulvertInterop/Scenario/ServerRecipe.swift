/// A WebSocket echo server.
package struct ServerRecipe: Decodable, Sendable, Hashable {
    package let peer: PeerRecipe
    /// Where it echoes.
    package let path: String
    package let profile: EchoProfile
    /// One that it insists on.
    package let subprotocol: String?
    /// Checks that it cannot pass, and why.
    package let lacks: [String: String]

    private enum CodingKeys: String, CodingKey, CaseIterable {
        case path, profile, subprotocol, lacks
    }

    package init(from decoder: any Decoder) throws {
        try decoder.refuseKeys(except: CodingKeys.allCases, PeerRecipe.CodingKeys.allCases)
        self.peer = try PeerRecipe(from: decoder)
        let object = try decoder.container(keyedBy: CodingKeys.self)
        self.path = try object.decode(.path, default: "/")
        self.profile = try object.decode(.profile, default: .echo)
        self.subprotocol = try object.decodeIfPresent(String.self, forKey: .subprotocol)
        self.lacks = try object.decode(.lacks, default: [:])
    }
}
