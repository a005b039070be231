/// One thing to try with one connection.
package struct CheckRecipe: Decodable, Sendable, Hashable {
    /// Unique: a column of the matrix.
    package let name: String
    package let action: Action

    package enum Action: Sendable, Hashable {
        /// A message of so many bytes comes back as it was. Without a kind it is binary where the server echoes that.
        case echo(Kind?, bytes: Int)
        /// A text in several frames, with a ping behind the first, comes back whole.
        case fragments
        /// A pong carries what its ping did.
        case ping
        /// permessage-deflate is agreed on, and a text of so many bytes that shortens well comes back.
        case compression(bytes: Int)
        /// We close with this code and the server's close frame repeats it.
        case close(UInt16)
        /// Of the subprotocols offered the server takes this one.
        case subprotocol(offered: [String], chosen: String)
        /// The connection must not come about, for this reason.
        case refuse(Obstacle)
    }

    package enum Kind: String, Decodable, Sendable, Hashable {
        case text, binary
    }

    /// What stands in the way.
    package enum Obstacle: String, Decodable, Sendable, Hashable {
        /// An authority that is not trusted signed the server's certificate.
        case otherAuthority = "other-authority"
        /// The certificate is another host's.
        case wrongName = "wrong-name"
        case expired
        /// Nobody listens at the target.
        case closedPort = "closed-port"
        /// The target's name has no address.
        case unknownName = "unknown-name"
        /// The server answers the upgrade with 404.
        case notFound = "not-found"
        case wrongPassword = "wrong-password"
        case noPassword = "no-password"

        /// Needs a TLS connection to the target to show.
        package var needsTLS: Bool {
            switch self {
            case .otherAuthority, .wrongName, .expired: true
            case .closedPort, .unknownName, .notFound, .wrongPassword, .noPassword: false
            }
        }
    }

    private enum CodingKeys: String, CodingKey, CaseIterable {
        case name, `do`, kind, bytes, code, offer, expect, with
    }

    private enum Verb: String, Decodable {
        case echo, fragments, ping, compression, close, subprotocol, refuse
    }

    package init(from decoder: any Decoder) throws {
        let object = try decoder.strictContainer(keyedBy: CodingKeys.self)
        self.name = try object.decode(String.self, forKey: .name)
        switch try object.decode(Verb.self, forKey: .do) {
        case .echo:
            let kind = try object.decodeIfPresent(Kind.self, forKey: .kind)
            self.action = .echo(kind, bytes: try object.decode(Int.self, forKey: .bytes))
        case .fragments: self.action = .fragments
        case .ping: self.action = .ping
        case .compression: self.action = .compression(bytes: try object.decode(Int.self, forKey: .bytes))
        case .close: self.action = .close(try object.decode(UInt16.self, forKey: .code))
        case .subprotocol:
            self.action = .subprotocol(
                offered: try object.decode([String].self, forKey: .offer),
                chosen: try object.decode(String.self, forKey: .expect))
        case .refuse: self.action = .refuse(try object.decode(Obstacle.self, forKey: .with))
        }
    }
}
