/// How a SOCKS 5 client proves who it is (RFC 1928 §3).
enum SOCKSMethod {
    static let none: UInt8 = 0
    /// RFC 1929.
    static let userPassword: UInt8 = 2
    static let noneAcceptable: UInt8 = 0xFF

    static let socks5: UInt8 = 5
    static let socks4: UInt8 = 4
    /// The version of the user and password messages.
    static let userPasswordVersion: UInt8 = 1
    static let connect: UInt8 = 1
}
