internal import HTTPTypes

extension HTTPField.Name {
    /// `Host`. HTTPTypes keeps it back in favour of `:authority`, which HTTP/1.1 does not have.
    static let hostField: Self = {
        guard let name = Self("Host") else { preconditionFailure("\"Host\" is a token") }
        return name
    }()
}
