import HTTPWire
import NIOCore

extension ProxyServer {
    /// Opens listeners in front of SwiftNIO; nil where all connections are to begin there.
    var front: Listening.Front? {
        #if os(Linux)
            guard let engine = self.core.splice as? SpliceEngine, self.core.snapshot.wantsFront else {
                return nil
            }
            let surroundings = FrontListener.Surroundings(
                core: self.core, engine: engine, group: self.eventLoopGroup,
                pools: FrontPools(self.core.forwarding.options, of: engine.loops))
            return { (address, port) throws(IOError) in
                try FrontListener(address, port: port, in: surroundings)
            }
        #else
            return nil
        #endif
    }
}
