/// How a ``WebSocketMachine`` hands out what it receives.
package enum MessageDelivery: Sendable, Hashable {
    /// Whole messages; one over the limit fails with 1009 as soon as that is known.
    case messages
    /// Whole messages; one over the limit comes in fragments as soon as that is known, for the consumer to decide.
    case messagesOrFragments
    /// Everything that is here of a message, without waiting for its rest.
    case fragments
}
