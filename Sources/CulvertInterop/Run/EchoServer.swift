/// Who echoes.
package enum EchoServer: Sendable, Hashable {
    /// Our own server.
    case origin
    case peer(ServerRecipe)
    /// Somebody's server on the internet.
    case remote(PublicTarget)

    package var name: String {
        switch self {
        case .origin: Scenarios.origin
        case .peer(let recipe): recipe.peer.name
        case .remote(let target): target.url
        }
    }

    package var title: String {
        switch self {
        case .origin: "our origin"
        case .peer(let recipe): recipe.peer.title
        case .remote(let target): target.title
        }
    }

    var profile: EchoProfile {
        switch self {
        case .origin, .remote: .echo
        case .peer(let recipe): recipe.profile
        }
    }

    /// One that must be offered in any case.
    var subprotocol: String? {
        switch self {
        case .origin, .remote: nil
        case .peer(let recipe): recipe.subprotocol
        }
    }

    /// Why it cannot pass a check; nil when it can.
    func lack(of check: String) -> String? {
        switch self {
        case .origin, .remote: nil
        case .peer(let recipe): recipe.lacks[check]
        }
    }

    /// Of strangers on the internet a few words ahead of the echo are accepted: many greet.
    var maxStrayMessages: Int {
        switch self {
        case .origin, .peer: 0
        case .remote: 3
        }
    }
}
