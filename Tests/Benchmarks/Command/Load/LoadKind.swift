import ArgumentParser

/// The loads there are.
enum LoadKind: String, CaseIterable, ExpressibleByArgument {
    /// As many bytes as go, from the origin.
    case download
    /// As many bytes as go, to the origin.
    case upload
    /// One byte there and back.
    case roundTrip = "round-trip"
    /// A tunnel opened, one byte echoed, the tunnel closed.
    case open
    /// Tunnels that only are there.
    case idle
    /// Plain HTTP, a kilobyte for each GET.
    case requests
    /// Messages to a WebSocket echo server and back.
    case messages

    /// Work for which the processor time is told, and how many of the work's units that is.
    var unit: (name: String, size: Double) {
        switch self {
        case .download, .upload: ("s/GB", 1e9)
        case .roundTrip: ("µs/trip", 1e-6)
        case .open: ("µs/tunnel", 1e-6)
        case .requests: ("µs/request", 1e-6)
        case .messages: ("µs/message", 1e-6)
        case .idle: ("bytes/tunnel", 1)
        }
    }
}
