/// The sums at one moment.
package struct ProxyTotals: Sendable, Hashable {
    package var connectionsOpen = 0
    package var connections: UInt64 = 0
    package var tunnelsOpen = 0
    package var tunnelsOpened: UInt64 = 0
    package var requests: UInt64 = 0
    package var refused: UInt64 = 0
    package var bytesUp: UInt64 = 0
    package var bytesDown: UInt64 = 0

    package init() {}
}
