/// One of the two ends of a tunnel.
enum RelaySide {
    case client
    case origin

    var other: RelaySide { self == .client ? .origin : .client }

    var closer: AccessLogEntry.Closer { self == .client ? .client : .origin }
}
