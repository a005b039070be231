#if Tracing
    import CulvertWebSocket
    import HTTPTypes
    import InMemoryTracing
    import NIOCore
    import TestSupport
    import Testing
    import Tracing

    @Suite("The span of an opening, with the trait Tracing")
    struct OpeningSpanTests {
        private let tracer = InMemoryTracer()
        private let client = WebSocketClient(configuration: .init { $0.proxy = .none })

        @Test("it has the phases as children, and the server is told the trace")
        func opened() async throws {
            let (tracer, client) = (self.tracer, self.client)
            try await withServer(serve: { socket in
                let name = try #require(HTTPField.Name(InMemoryTracer.traceIDKey))
                try await socket.send(socket.request.headerFields[name] ?? "no trace")
            }) { server in
                let traceID = try await withTracer(tracer) {
                    try await client.withConnection(to: "ws://\(server)/feed?token=secret") {
                        try await $0.receive()
                    }
                }
                let span = try #require(tracer.finishedSpans.first { $0.kind == .client })
                #expect(traceID == .text(span.traceID))
                #expect(span.operationName == "GET")
                let expected: [String: SpanAttribute] = [
                    "http.request.method": "GET", "url.full": "ws://\(server)/feed?REDACTED",
                    "server.address": "127.0.0.1", "server.port": .int64(Int64(server.port)),
                    "http.response.status_code": .int64(101), "network.protocol.name": "http",
                    "network.protocol.version": "1.1", "network.peer.address": "127.0.0.1",
                    "network.peer.port": .int64(Int64(server.port)),
                ]
                for (name, value) in expected { #expect(span.attributes.get(name) == value, "\(name)") }
                #expect(span.status == nil)

                let phases = tracer.finishedSpans.filter { $0.parentSpanID == span.spanID }
                #expect(phases.contains { $0.operationName == "connect" })
                #expect(phases.contains { $0.operationName == "upgrade" })
                for phase in phases {
                    #expect(
                        phase.startInstant.nanosecondsSinceEpoch <= phase.endInstant.nanosecondsSinceEpoch)
                    #expect(phase.endInstant.nanosecondsSinceEpoch <= span.endInstant.nanosecondsSinceEpoch)
                }
            }
        }

        @Test("an opening that fails says how")
        func refused() async throws {
            let (tracer, client) = (self.tracer, self.client)
            try await withTCPServer { connection in
                _ = try await connection.readHead()
                try await connection.write("HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n")
            } _: { server in
                await withTracer(tracer) {
                    _ = await #expect(throws: WebSocketError.self) {
                        try await client.withConnection(to: "ws://\(server)/") { _ in }
                    }
                }
            }
            let span = try #require(tracer.finishedSpans.first)
            #expect(span.attributes.get("error.type") == "403")
            #expect(span.attributes.get("http.response.status_code") == .int64(403))
            #expect(span.status?.code == .error)
        }
    }
#endif
