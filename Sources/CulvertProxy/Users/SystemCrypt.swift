#if canImport(Darwin)
    import Darwin
#elseif canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// The system's `crypt_r`, found when it is first needed: a system without it builds and runs, and says so when a users
/// file has hashes.
enum SystemCrypt {
    private typealias Function =
        @convention(c) (UnsafePointer<CChar>, UnsafePointer<CChar>, UnsafeMutableRawPointer)
        -> UnsafeMutablePointer<CChar>?

    /// More than the `struct crypt_data` of any C library: libxcrypt has 32 KiB, the old glibc 128.
    private static let workspaceBytes = 256 << 10
    /// libxcrypt takes no more; sha-crypt's time grows with the length.
    private static let maxPasswordBytes = 511

    private static let function: Function? = {
        for name in ["libcrypt.so.1", "libcrypt.so.2", "libcrypt.so", nil] {
            // The handle is never closed: the function is used until the process ends.
            guard let library = dlopen(name, RTLD_NOW | RTLD_LOCAL), let symbol = dlsym(library, "crypt_r")
            else {
                continue
            }
            return unsafeBitCast(symbol, to: Function.self)
        }
        return nil
    }()

    /// The hash of a password under a setting; nil where the system cannot compute it.
    static func hash(_ password: String, setting: String) -> String? {
        // C would end the password at a zero byte, and take what comes before for the whole.
        guard let function, password.utf8.count <= self.maxPasswordBytes, !password.utf8.contains(0) else {
            return nil
        }
        let workspace = UnsafeMutableRawBufferPointer.allocate(byteCount: self.workspaceBytes, alignment: 64)
        workspace.initializeMemory(as: UInt8.self, repeating: 0)
        defer {
            workspace.initializeMemory(as: UInt8.self, repeating: 0)
            workspace.deallocate()
        }
        guard let base = workspace.baseAddress, let result = function(password, setting, base) else {
            return nil
        }
        let text = String(cString: result)
        // `*0` and `*1` are how crypt says no without a null pointer.
        return text.hasPrefix("*") ? nil : text
    }

    static func supports(_ setting: String) -> Bool {
        self.hash("probe", setting: setting)?.hasPrefix(setting.prefix(3)) == true
    }
}
