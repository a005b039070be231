import CulvertTunnel
import HTTPTypes
import WebSocketWire

/// Where an upgrade is asked for next, and what of the caller's may be shown there.
struct WebSocketRequest {
    private(set) var url: WebSocketURL
    private var fields: HTTPFields
    private(set) var tls: TLSOptions
    private(set) var redirectsLeft: Int

    init(_ url: WebSocketURL, configuration: WebSocketClient.Configuration) {
        self.url = url
        self.fields = configuration.headerFields
        self.tls = configuration.tls
        self.redirectsLeft = configuration.maxRedirects
    }

    /// Goes where a redirect points. False when the answer is none, or none are followed.
    mutating func follow(_ refusal: WebSocketUpgradeRefusal, isAllowed: Bool) throws(WebSocketError) -> Bool {
        let response = refusal.response
        guard isAllowed, [301, 302, 303, 307, 308].contains(response.status.code),
            let location = response.headerFields[.location]
        else { return false }
        guard self.redirectsLeft > 0 else { throw .redirectRefused("the server redirects too often") }
        self.redirectsLeft -= 1
        let target: WebSocketURL
        do throws(WebSocketURLError) {
            target = try self.url.resolving(reference: location)
        } catch {
            throw .redirectRefused("the server redirects to what is no WebSocket URL: \(error)")
        }
        if self.url.isSecure, !target.isSecure {
            throw .redirectRefused("the server redirects from wss to ws: \(target.authority)")
        }
        if !self.url.hasSameOrigin(as: target) { self.dropWhatIsForTheOrigin() }
        self.url = target
        return true
    }

    /// Nobody vouches for the next server: it gets none of the credentials meant for this one.
    private mutating func dropWhatIsForTheOrigin() {
        self.fields[.authorization] = nil
        self.fields[.cookie] = nil
        self.fields[.host] = nil
        self.tls.identity = nil
        self.tls.serverName = nil
    }

    /// The fields of the upgrade request.
    ///
    /// - Parameter cookie: for the next server; the caller's own field goes before it.
    func fields(cookie: String?) -> HTTPFields {
        var fields = self.fields
        if let cookie, fields[.cookie] == nil { fields[.cookie] = cookie }
        return fields
    }
}
