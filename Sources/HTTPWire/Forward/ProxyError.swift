/// Why a proxy answered by itself, by the names of RFC 9209 §2.3.
package enum ProxyError: String, Sendable, Hashable, CaseIterable {
    case dnsTimeout = "dns_timeout"
    case dnsError = "dns_error"
    case destinationUnavailable = "destination_unavailable"
    case destinationAddressProhibited = "destination_ip_prohibited"
    case connectionRefused = "connection_refused"
    case connectionTerminated = "connection_terminated"
    case connectionTimeout = "connection_timeout"
    case connectionReadTimeout = "connection_read_timeout"
    case connectionLimitReached = "connection_limit_reached"
    case tlsProtocolError = "tls_protocol_error"
    case tlsCertificateError = "tls_certificate_error"
    case requestError = "http_request_error"
    case requestDenied = "http_request_denied"
    case responseIncomplete = "http_response_incomplete"
    case responseHeadTooLarge = "http_response_header_section_size"
    case responseTransferCoding = "http_response_transfer_coding"
    case responseTimeout = "http_response_timeout"
    case upgradeFailed = "http_upgrade_failed"
    case protocolError = "http_protocol_error"
    case internalError = "proxy_internal_error"
    case configurationError = "proxy_configuration_error"
    case internalResponse = "proxy_internal_response"
    case loopDetected = "proxy_loop_detected"

    /// What a status says by itself, where nobody knows more.
    init(status: Int) {
        switch status {
        case ..<400: self = .internalResponse
        case 403, 407, 429: self = .requestDenied
        case 400..<500: self = .requestError
        case 501, 505: self = .requestError
        case 502: self = .destinationUnavailable
        case 503: self = .connectionLimitReached
        case 504: self = .connectionTimeout
        case 508: self = .loopDetected
        default: self = .internalError
        }
    }
}
