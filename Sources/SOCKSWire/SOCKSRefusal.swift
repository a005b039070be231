/// Why a client of SOCKS is turned away: how it is told, and what the log says.
package struct SOCKSRefusal: Sendable, Hashable {
    /// What the reply says; SOCKS 4 knows one kind of no.
    package var reply: SOCKSReply
    /// The status that an HTTP client would have got, so that one log and one metric hold both.
    package var status: Int
    /// For the log: one safe token or sentence.
    package var reason: String

    package init(_ reply: SOCKSReply, status: Int, reason: String) {
        self.reply = reply
        self.status = status
        self.reason = reason
    }
}
