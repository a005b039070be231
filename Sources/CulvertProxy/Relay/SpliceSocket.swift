#if os(Linux)
    import CLinux

    #if canImport(Glibc)
        import Glibc
    #elseif canImport(Musl)
        import Musl
    #endif

    /// The system calls on one non-blocking socket.
    struct SpliceSocket {
        let descriptor: CInt

        /// What `socket` and `socketpair` are asked for: a stream that does not block and is closed on exec.
        static var kind: CInt {
            #if canImport(Glibc)
                CInt(SOCK_STREAM.rawValue) | CInt(SOCK_NONBLOCK.rawValue) | CInt(SOCK_CLOEXEC.rawValue)
            #else
                SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC
            #endif
        }

        enum Transfer {
            /// So many bytes; none is the end when reading.
            case moved(Int)
            case wouldBlock
            case failed(CInt)

            fileprivate init(_ call: () -> Int) {
                while true {
                    let count = call()
                    if count >= 0 {
                        self = .moved(count)
                        return
                    }
                    switch errno {
                    case EINTR: continue
                    case EAGAIN, EWOULDBLOCK: self = .wouldBlock
                    case let code: self = .failed(code)
                    }
                    return
                }
            }
        }

        func receive(into bytes: UnsafeMutableRawBufferPointer) -> Transfer {
            Transfer { recv(self.descriptor, bytes.baseAddress, bytes.count, 0) }
        }

        func send(_ bytes: UnsafeRawBufferPointer) -> Transfer {
            #if canImport(Glibc)
                Transfer { Glibc.send(self.descriptor, bytes.baseAddress, bytes.count, CInt(MSG_NOSIGNAL)) }
            #else
                Transfer { Musl.send(self.descriptor, bytes.baseAddress, bytes.count, CInt(MSG_NOSIGNAL)) }
            #endif
        }

        /// Nothing moves when the socket has nothing, and when the pipe is full: they look the same.
        func splice(into pipe: SplicePipe) -> Transfer {
            Transfer { culvert_splice(self.descriptor, pipe.input, pipe.size.rawValue) }
        }

        func splice(from pipe: SplicePipe) -> Transfer {
            Transfer { culvert_splice(pipe.output, self.descriptor, pipe.count) }
        }

        /// A second descriptor for the same connection; nil when there is none.
        func duplicate() -> SpliceSocket? {
            let copy = fcntl(self.descriptor, F_DUPFD_CLOEXEC, 0)
            return copy < 0 ? nil : SpliceSocket(descriptor: copy)
        }

        func sendFIN() {
            _ = shutdown(self.descriptor, CInt(SHUT_WR))
        }

        /// Closes with a reset instead of a FIN: a close with no time to linger.
        func reset() {
            var option = linger(l_onoff: 1, l_linger: 0)
            _ = setsockopt(
                self.descriptor, SOL_SOCKET, SO_LINGER, &option, socklen_t(MemoryLayout<linger>.size))
            self.close()
        }

        func close() {
            #if canImport(Glibc)
                _ = Glibc.close(self.descriptor)
            #else
                _ = Musl.close(self.descriptor)
            #endif
        }

        /// Why the connection broke, once; 0 when it did not, or was asked before.
        func pendingError() -> CInt {
            var code: CInt = 0
            var length = socklen_t(MemoryLayout<CInt>.size)
            _ = getsockopt(self.descriptor, SOL_SOCKET, SO_ERROR, &code, &length)
            return code
        }
    }
#endif
