/// The intended differences from NIOHTTP1, by the name of the sample, each with its reason.
enum DifferentialReasons {
    static let requests: [String: String] = [
        "blanks around value":
            "NIO keeps trailing blanks behind a tab; RFC 9110 §5.5 excludes them from the value",
        "coding list": "only chunked alone is framed the same way by everybody",
        "coding on 1.0": "RFC 9112 §6.1: the framing is faulty; 1.0 intermediaries do not know it",
        "unknown coding": "a server that does not know the coding cannot find the body's end",
        "extension method": "llhttp knows a list of methods; a proxy's 405 should say what is wrong",
        "lower-case method": "a method is any token; a proxy's 405 should say what is wrong",
        "leading LF": "a bare LF is no line ending when serving",
        "two leading CRLFs": "RFC 9112 §2.2 asks for one; more is a client out of step with its framing",
        "two spaces before target": "a target that begins with a blank is read differently by every parser",
        "two spaces before version": "as before the target",
        "length list": "equal lengths are one (RFC 9110 §8.6)",
        "two lengths that agree": "equal lengths are one (RFC 9110 §8.6)",
        "word target":
            "the server machine sorts targets and answers 405 with a text; the parser only bounds them",
    ]

    static let strictResponses: [String: String] = [
        "no phrase, no space": "RFC 9112 §4: the space is mandatory; the lenient mode takes it",
        "status 099": "no such class of status (RFC 9110 §15)",
        "control in phrase": "a phrase is text (RFC 9112 §4), and goes to logs",
    ]

    static let lenientResponses: [String: String] = [
        "status 099": "no such class of status (RFC 9110 §15)",
        "lf lines": "proxies send them",
        "folded field": "proxies fold challenges",
        "field without colon": "proxies send them; the line is skipped",
        "space before colon": "proxies send them; nothing is forwarded, so nothing can be smuggled",
        "nul in value": "read as a space: one bad field is no reason to lose an answer",
        "http 1.2": "a later minor version is compatible (RFC 9110 §2.5)",
    ]
}
