import CulvertTunnel
import HTTPTypes
import HTTPWire
import NIOCore
import WebSocketWire

#if Tracing
    import Tracing
#endif

/// The span of one opening, with a child for each of its phases (OpenTelemetry's conventions for HTTP clients). Nothing
/// without the package's trait `Tracing`.
struct OpeningSpan: Sendable {
    #if Tracing
        private let span: any Span

        /// Starts with the call for an opening.
        init() {
            self.span = InstrumentationSystem.tracer.startSpan("GET", ofKind: .client)
        }

        /// The fields with what tells the server which trace it belongs to.
        func fields(_ fields: HTTPFields, for url: WebSocketURL, redirects: Int) -> HTTPFields {
            self.span.updateAttributes { attributes in
                attributes["http.request.method"] = "GET"
                attributes["url.full"] = url.withoutQuery
                attributes["server.address"] = url.authority.host.description
                attributes["server.port"] = Int(url.authority.port)
                if redirects > 0 { attributes["http.request.resend_count"] = redirects }
            }
            var fields = fields
            InstrumentationSystem.instrument.inject(self.span.context, into: &fields, using: FieldInjector())
            return fields
        }

        func opened(_ socket: WebSocket) {
            self.span.updateAttributes { attributes in
                attributes["http.response.status_code"] = socket.response.status.code
                attributes["network.protocol.name"] = "http"
                attributes["network.protocol.version"] = "1.1"
                if let address = socket.remoteAddress?.ipAddress {
                    attributes["network.peer.address"] = address
                }
                if let port = socket.remoteAddress?.port { attributes["network.peer.port"] = port }
            }
            let end = DefaultTracerClock.now
            if let timeline = socket.timeline { self.addPhases(of: timeline, upTo: end) }
            self.span.end(at: end)
        }

        func failed(_ error: any Error) {
            let refusal: WebSocketUpgradeRefusal? =
                if case .upgradeRefused(let refusal) = error as? WebSocketError { refusal } else { nil }
            self.span.updateAttributes { attributes in
                if let refusal { attributes["http.response.status_code"] = refusal.response.status.code }
                attributes["error.type"] = refusal.map { "\($0.response.status.code)" } ?? error.typeOfFailure
            }
            self.span.setStatus(SpanStatus(code: .error, message: "\(error)"))
            self.span.end()
        }

        /// The phases follow each other, and the last ends with the opening.
        private func addPhases(of timeline: WebSocketTimeline, upTo end: DefaultTracerClock.Timestamp) {
            var end = end.nanosecondsSinceEpoch
            var phases: [(name: String, proxy: Authority?, duration: Duration)] = timeline.tunnel.entries.map
            {
                ($0.phase.spanName, $0.phase.proxy, $0.duration)
            }
            phases.append(("upgrade", nil, timeline.upgrade))
            for (name, proxy, duration) in phases.reversed() {
                let start = end &- UInt64(max(0, duration / .nanoseconds(1)))
                let phase = InstrumentationSystem.tracer.startSpan(
                    name, context: self.span.context,
                    at: DefaultTracerClock.Timestamp(nanosecondsSinceEpoch: start))
                if let proxy {
                    phase.updateAttributes { attributes in
                        attributes["server.address"] = proxy.host.description
                        attributes["server.port"] = Int(proxy.port)
                    }
                }
                phase.end(at: DefaultTracerClock.Timestamp(nanosecondsSinceEpoch: end))
                end = start
            }
        }
    #else
        func fields(_ fields: HTTPFields, for url: WebSocketURL, redirects: Int) -> HTTPFields { fields }
        func opened(_ socket: WebSocket) {}
        func failed(_ error: any Error) {}
    #endif
}

#if Tracing
    private struct FieldInjector: Injector {
        func inject(_ value: String, forKey key: String, into carrier: inout HTTPFields) {
            if let name = HTTPField.Name(key) { carrier[name] = value }
        }
    }

    extension WebSocketURL {
        /// What stands behind the question mark is often a token.
        fileprivate var withoutQuery: String {
            let path = self.resource.prefix { $0 != "?" }
            let query = path.endIndex < self.resource.endIndex ? "?REDACTED" : ""
            return "\(self.isSecure ? "wss" : "ws")://\(self.hostField)\(path)\(query)"
        }
    }

    extension TunnelError.Phase {
        fileprivate var spanName: String {
            switch self {
            case .configuration: "configuration"
            case .resolve: "resolve"
            case .connect: "connect"
            case .proxyTLS: "proxy TLS"
            case .proxyConnect: "proxy CONNECT"
            case .targetTLS: "TLS"
            }
        }

        fileprivate var proxy: Authority? {
            switch self {
            case .proxyTLS(let hop), .proxyConnect(let hop): hop.authority
            case .configuration, .resolve, .connect, .targetTLS: nil
            }
        }
    }

    extension Error {
        /// One of few names, whatever the error says.
        fileprivate var typeOfFailure: String {
            guard let error = self as? WebSocketError else { return "\(Self.self)" }
            return switch error {
            case .invalidRequest: "invalid_request"
            case .tunnel(let error): "\(error.code)"
            case .upgradeRefused: "upgrade_refused"
            case .redirectRefused: "redirect_refused"
            case .upgradeFailed: "upgrade_failed"
            case .upgradeTimedOut: "timeout"
            case .protocolViolation: "protocol_violation"
            case .closed: "closed"
            case .connectionLost: "connection_lost"
            case .keepaliveTimedOut: "timeout"
            case .unsendable: "unsendable"
            }
        }
    }
#endif
