/// What both sides of NTLM agree on (MS-NLMP §2.2.2.5); only what is used here.
struct NTLMFlags: OptionSet, Sendable, Hashable {
    let rawValue: UInt32

    static let unicode = NTLMFlags(rawValue: 1 << 0)
    static let oem = NTLMFlags(rawValue: 1 << 1)
    static let requestTarget = NTLMFlags(rawValue: 1 << 2)
    static let ntlm = NTLMFlags(rawValue: 1 << 9)
    static let targetIsServer = NTLMFlags(rawValue: 1 << 17)
    static let alwaysSign = NTLMFlags(rawValue: 1 << 15)
    static let extendedSessionSecurity = NTLMFlags(rawValue: 1 << 19)
    static let targetInfo = NTLMFlags(rawValue: 1 << 23)
    static let key128 = NTLMFlags(rawValue: 1 << 29)
    static let key56 = NTLMFlags(rawValue: 1 << 31)

    /// Neither signing nor a key exchange: HTTP only logs in.
    static let offered: NTLMFlags = [
        .unicode, .oem, .requestTarget, .ntlm, .alwaysSign, .extendedSessionSecurity, .targetInfo, .key128,
        .key56,
    ]
}
