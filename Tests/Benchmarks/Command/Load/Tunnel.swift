#if os(Linux)
    /// The client's end of one connection.
    final class Tunnel {
        enum Phase {
            /// Leaves when the socket is connected.
            case connecting
            /// CONNECT, or the request for a WebSocket, was sent. Leaves on a 2xx, or a 101.
            case asking
            /// Bytes go through.
            case open
        }

        let socket: CInt
        var phase = Phase.connecting
        /// The answer to the request for it, so far.
        var head: [UInt8] = []
        /// When what is being waited for was asked for, in ``nanoseconds()``.
        var askedAt = nanoseconds()
        /// Bytes that came, or went, since the tunnel is open.
        var position = 0
        /// What the socket did not take yet.
        var unsent: ArraySlice<UInt8> = []
        var answer = ResponseReader()

        init(_ socket: CInt) {
            self.socket = socket
        }
    }
#endif
