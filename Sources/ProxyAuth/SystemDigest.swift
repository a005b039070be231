#if canImport(Darwin)
    import Darwin
#elseif canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// The one hash that swift-crypto lacks, from the system's libcrypto, which is looked for when it is first needed: a
/// system without it speaks the other algorithms.
enum SystemDigest {
    private typealias Algorithm = @convention(c) () -> OpaquePointer?
    private typealias Digest =
        @convention(c) (
            UnsafeRawPointer?, Int, UnsafeMutablePointer<UInt8>?, UnsafeMutablePointer<UInt32>?,
            OpaquePointer?,
            OpaquePointer?
        ) -> Int32

    private struct Library: Sendable {
        let sha512256: Algorithm
        let digest: Digest
    }

    private static let names = ["libcrypto.so.3", "libcrypto.so.1.1", "libcrypto.3.dylib", "libcrypto.so"]

    private static let library: Library? = {
        guard let handle = Self.names.lazy.compactMap({ dlopen($0, RTLD_NOW | RTLD_LOCAL) }).first,
            let algorithm = dlsym(handle, "EVP_sha512_256"), let digest = dlsym(handle, "EVP_Digest")
        else { return nil }
        return Library(
            sha512256: unsafeBitCast(algorithm, to: Algorithm.self),
            digest: unsafeBitCast(digest, to: Digest.self))
    }()

    static var hasSHA512256: Bool { Self.library != nil }

    /// SHA-512/256 (FIPS 180-4 §5.3.6.2); nil where the system has none.
    static func sha512256(_ bytes: [UInt8]) -> [UInt8]? {
        guard let library = Self.library, let algorithm = library.sha512256() else { return nil }
        var output = [UInt8](repeating: 0, count: 64)
        var count: UInt32 = 0
        let isDone = bytes.withUnsafeBytes { input in
            library.digest(input.baseAddress, input.count, &output, &count, algorithm, nil) == 1
        }
        return isDone && count == 32 ? Array(output[..<32]) : nil
    }
}
