import CulvertWebSocket
import HTTPTypes

/// What a request to the admin listener is for.
enum AdminRoute: Sendable {
    case health
    case readiness
    case metrics
    case page
    case json
    /// Nothing of the proxy is needed for it.
    case answer(AdminAnswer)
}

/// Decides on requests to the admin listener.
struct AdminRouter: Sendable {
    let hosts: AdminHosts

    /// The path of the WebSocket that the status page listens to.
    static let eventsPath = "/events"

    func route(_ request: HTTPRequest) -> AdminRoute {
        let path = Self.path(of: request)
        guard request.method == .get || request.method == .head else {
            return .answer(.methodNotAllowed)
        }
        // Probes call a host by whatever name they like, and learn one word.
        switch path {
        case "/healthz": return .health
        case "/readyz": return .readiness
        default: break
        }
        guard self.hosts.admit(request) else { return .answer(.misdirected) }
        switch path {
        case "/": return .page
        case "/metrics": return .metrics
        case "/status.json": return .json
        case "/status.css":
            return .answer(.init(.ok, "text/css; charset=utf-8", bytes: PackageResources.status_css))
        case "/status.js":
            return .answer(.init(.ok, "text/javascript; charset=utf-8", bytes: PackageResources.status_js))
        case "/icon.svg": return .answer(.init(.ok, "image/svg+xml", bytes: PackageResources.icon_svg))
        default: return .answer(.notFound)
        }
    }

    /// Whether a request becomes the page's WebSocket; that its `Origin` is this host was checked before.
    func decide(_ request: HTTPRequest) -> WebSocketUpgradeDecision {
        guard Self.path(of: request) == Self.eventsPath else {
            return .refuse(.notFound, reason: "the WebSocket is at \(Self.eventsPath)")
        }
        guard self.hosts.admit(request) else {
            return .refuse(.misdirectedRequest, reason: AdminAnswer.misdirectedText)
        }
        return .accept()
    }

    private static func path(of request: HTTPRequest) -> Substring {
        (request.path ?? "").prefix { $0 != "?" }
    }
}
