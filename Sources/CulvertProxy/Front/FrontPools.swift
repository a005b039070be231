#if os(Linux)
    /// Idle connections to origins, those of each thread of the splice engine.
    ///
    /// `@unchecked Sendable`: a pool is touched on its loop's thread only.
    final class FrontPools: @unchecked Sendable {
        private let pools: [ObjectIdentifier: OriginPool<FrontOrigin>]

        init(_ options: ForwardingOptions, of loops: SpliceLoops) {
            self.pools = loops.all.reduce(into: [:]) { $0[ObjectIdentifier($1)] = OriginPool(options) }
        }

        func pool(of loop: SpliceLoop) -> OriginPool<FrontOrigin> {
            guard let pool = self.pools[ObjectIdentifier(loop)] else {
                preconditionFailure("connections begin on the engine's own loops")
            }
            return pool
        }
    }
#endif
