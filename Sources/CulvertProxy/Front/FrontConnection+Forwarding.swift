#if os(Linux)
    import CulvertTunnel
    import Foundation
    import HTTPWire
    import NIOCore

    /// Plain requests that are passed on in front of SwiftNIO: performs what their ``ForwardMachine`` asks for. What needs
    /// more than one origin's address, or an answer of our own, goes on elsewhere.
    extension FrontConnection {
        /// As much of an answer as is moved before the others' turn, in reads.
        private static let turn = 16

        func begin(_ exchange: FrontExchange) {
            self.phase = .exchanging(exchange)
            if let origin = exchange.origin {
                origin.use(by: self)
                return self.send(exchange, on: origin)
            }
            guard let address = exchange.address else { return self.forwardElsewhere(exchange) }
            do throws(IOError) {
                exchange.origin = try FrontOrigin(
                    to: address, port: exchange.forward.target.authority.port, key: exchange.key, for: self,
                    on: self.loop, pool: self.pool, registry: self.core.registry)
                self.wait(
                    exchange.hasOtherAddresses
                        ? DirectTunnel.timeOfFirstAddress : exchange.judgement.snapshot.dialTimeout)
            } catch {
                self.forwardElsewhere(exchange)
            }
        }

        // MARK: What the origin's connection tells

        func originConnected(_ origin: FrontOrigin) {
            guard case .exchanging(let exchange) = self.phase, exchange.origin === origin else { return }
            self.noteDial(exchange)
            self.send(exchange, on: origin)
        }

        func originFailed(_ origin: FrontOrigin, _ error: IOError) {
            guard case .exchanging(let exchange) = self.phase, exchange.origin === origin else { return }
            if exchange.hasOtherAddresses { return self.forwardElsewhere(exchange) }
            self.unreachable(exchange, DialErrors.connect(error, peer: exchange.forward.target.authority))
        }

        func originIsReady(_ origin: FrontOrigin) {
            guard case .exchanging(let exchange) = self.phase, exchange.origin === origin else { return }
            self.flushUp(exchange)
            self.moveDown(exchange)
        }

        /// The time for a connection, or for the next bytes, is over.
        func expired(_ exchange: FrontExchange) {
            guard let origin = exchange.origin, !origin.isConnected else {
                let idle = TimeAmount(self.core.configuration.idleTimeout)
                let left = exchange.lastActivity + idle - self.loop.now
                if left > .zero { return self.wait(left) }
                if exchange.ending != nil { return self.abandon(exchange, by: .client, reason: "idle") }
                return self.fail(exchange, exchange.machine.failed(.slowAnswer))
            }
            if exchange.hasOtherAddresses { return self.forwardElsewhere(exchange) }
            let target = exchange.forward.target.authority
            self.unreachable(
                exchange, DialErrors.timedOut("\(target)", in: .connect, after: self.patience))
        }

        /// The client takes bytes again.
        func clientHasRoom(_ exchange: FrontExchange) {
            self.writeDown(exchange, ByteBuffer())
            guard exchange.unsentDown.readableBytes == 0 else { return }
            if exchange.ending == nil { self.moveDown(exchange) } else { self.end(exchange) }
        }

        /// Nobody hears of the request any more.
        func abandon(_ exchange: FrontExchange, by closer: AccessLogEntry.Closer, reason: String) {
            // An answer that is out has its line in the log.
            if exchange.ending == nil {
                exchange.note()
                exchange.request.end(by: closer, reason: reason, in: self.core)
            }
            exchange.origin?.close()
            self.close()
        }

        // MARK: To the origin

        private func send(_ exchange: FrontExchange, on origin: FrontOrigin) {
            exchange.figures.address = origin.address
            exchange.figures.addressText = origin.addressText
            exchange.figures.connectTime = self.loop.now - exchange.request.start
            guard case .send(let bytes) = exchange.machine.originConnected(.origin, isReused: origin.isReused)
            else { return self.forwardElsewhere(exchange) }
            exchange.figures.bytesUp = UInt64(bytes.readableBytes)
            exchange.unsentUp = bytes
            exchange.lastActivity = self.loop.now
            self.wait(TimeAmount(self.core.configuration.idleTimeout))
            self.flushUp(exchange)
        }

        private func flushUp(_ exchange: FrontExchange) {
            while exchange.unsentUp.readableBytes > 0, let origin = exchange.origin {
                switch exchange.unsentUp.withUnsafeReadableBytes({ origin.send($0) }) {
                case .moved(let count): exchange.unsentUp.moveReaderIndex(forwardBy: count)
                case .wouldBlock: return
                case .failed:
                    exchange.unsentUp = ByteBuffer()
                    return self.perform(exchange, exchange.machine.originClosed(isClean: false))
                }
            }
        }

        private func noteDial(_ exchange: FrontExchange) {
            self.core.metrics.dialled(
                nanoseconds: (NIODeadline.now() - exchange.request.start).nanoseconds, resolveNanoseconds: nil
            )
        }

        private func unreachable(_ exchange: FrontExchange, _ error: TunnelError) {
            self.noteDial(exchange)
            self.core.names.forget(exchange.forward.target.authority.host)
            self.fail(exchange, exchange.machine.failed(.init(dialing: error)))
        }

        private func forwardElsewhere(_ exchange: FrontExchange) {
            exchange.origin?.close()
            self.handOver(exchange, .toBeForwarded(exchange.forward))
        }

        private func handOver(_ exchange: FrontExchange, _ obstacle: BegunRequest.Obstacle) {
            guard let permit = self.permit else { return self.close() }
            self.handOver(.begun(exchange.stopped(by: obstacle), permit))
        }

        // MARK: To the client

        private func moveDown(_ exchange: FrontExchange) {
            let scratch = self.loop.resources.scratch
            for _ in 0..<Self.turn {
                guard self.isUnderWay(exchange), let origin = exchange.origin, origin.mayHaveBytes,
                    exchange.unsentDown.readableBytes == 0
                else { return }
                switch origin.receive(into: scratch) {
                case .wouldBlock: return
                case .moved(0): self.perform(exchange, exchange.machine.originClosed(isClean: true))
                case .failed: self.perform(exchange, exchange.machine.originClosed(isClean: false))
                case .moved(let count):
                    exchange.lastActivity = self.loop.now
                    let bytes = ByteBuffer(bytes: UnsafeRawBufferPointer(rebasing: scratch[..<count]))
                    let now = Int64(Date().timeIntervalSince1970)
                    self.perform(exchange, exchange.machine.receiveFromOrigin(bytes, now: now))
                }
            }
            self.loop.after(.zero) { self.moveDown(exchange) }
        }

        private func isUnderWay(_ exchange: FrontExchange) -> Bool {
            guard case .exchanging(let current) = self.phase else { return false }
            return current === exchange && exchange.ending == nil
        }

        private func perform(_ exchange: FrontExchange, _ action: ForwardOriginAction) {
            switch action {
            case .needMore: break
            case .send(let bytes): self.writeDown(exchange, bytes)
            case .finish(let bytes, let end):
                self.writeDown(exchange, bytes)
                if self.isUnderWay(exchange) { self.finished(exchange, end) }
            case .retry: self.forwardElsewhere(exchange)
            case .fail(let failure): self.fail(exchange, failure)
            case .tunnel, .challenged, .offerIgnored:
                preconditionFailure("no upgrade is asked for here, and no parent asked")
            }
        }

        private func writeDown(_ exchange: FrontExchange, _ bytes: ByteBuffer) {
            exchange.figures.bytesDown += UInt64(bytes.readableBytes)
            exchange.unsentDown.append(bytes)
            while exchange.unsentDown.readableBytes > 0 {
                switch exchange.unsentDown.withUnsafeReadableBytes({ self.client.send($0) }) {
                case .moved(let count):
                    exchange.unsentDown.moveReaderIndex(forwardBy: count)
                    exchange.lastActivity = self.loop.now
                case .wouldBlock: return self.awaitRoom()
                case .failed:
                    return self.abandon(
                        exchange, by: .client, reason: Self.leftEarly)
                }
            }
            // Its storage is given back.
            exchange.unsentDown = ByteBuffer()
        }

        private func finished(_ exchange: FrontExchange, _ end: ForwardEnd) {
            let origin = exchange.origin
            exchange.origin = nil
            if case .reusable = end.origin, !self.core.draining, let origin, origin.isUsable {
                origin.release()
                self.pool.put(origin)
            } else {
                origin?.close()
            }
            self.log(exchange, "forwarded")
            self.end(exchange, by: .next(end))
        }

        private func fail(_ exchange: FrontExchange, _ failure: ForwardFailure) {
            exchange.origin?.close()
            exchange.origin = nil
            switch failure {
            case .refuse(let rejection, _, _, _) where exchange.unsentDown.readableBytes > 0:
                // The client has not even taken the interim answers.
                self.abandon(exchange, by: .origin, reason: rejection.reason)
            case .refuse(let rejection, _, _, let mayPersist):
                exchange.note()
                self.handOver(exchange, .unanswered(rejection, mayPersist: mayPersist))
            case .cut(let reason, let byReset):
                self.log(exchange, reason)
                self.end(exchange, by: .cut(byReset: byReset))
            }
        }

        private func log(_ exchange: FrontExchange, _ reason: String) {
            exchange.note()
            exchange.request.end(by: .origin, reason: reason, in: self.core)
        }

        /// Everything that came goes out first.
        private func end(_ exchange: FrontExchange, by ending: FrontExchange.Ending) {
            exchange.ending = ending
            if exchange.unsentDown.readableBytes == 0 { self.end(exchange) }
        }

        private func end(_ exchange: FrontExchange) {
            switch exchange.ending {
            case .next(let end): self.awaitNext(exchange, end)
            case .cut(true): self.close { $0.reset() }
            case .cut(false): self.close()
            case nil: break
            }
        }

        private func awaitNext(_ exchange: FrontExchange, _ end: ForwardEnd) {
            let keeps = end.keepsClient && !self.core.draining
            let action = exchange.server.exchangeEnded(
                leftover: end.leftover, inputClosed: false, keepsConnection: keeps)
            guard keeps, case .needMore = action else { return self.handOver(exchange, .answered) }
            self.awaitRequest(behind: exchange)
        }
    }
#endif
