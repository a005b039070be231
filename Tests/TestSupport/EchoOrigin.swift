import NIOCore

/// Sends back what comes; half-closes when the peer has.
@Sendable
package func echo(_ connection: TCPConnection) async throws {
    while let bytes = try await connection.read() { try await connection.write(bytes) }
    try await connection.finish()
}
