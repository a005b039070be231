import CCurl

#if canImport(Darwin)
    import Darwin
#elseif canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// The libcurl that runs, which may be newer or older than the headers this was built with.
package struct CurlLibrary: Sendable {
    /// Such as `8.14.1`.
    package let version: String
    /// The TLS library beneath it, such as `OpenSSL/3.0.22`; nil without TLS.
    package let tls: String?
    /// Three bytes, major to patch: `0x080e01`.
    let number: UInt32
    private let features: Set<CurlFeature>

    /// The one of this process; initialised at the first use, for good.
    package static let current = CurlLibrary()

    private init() {
        // Once, before any handle; a failure shows in the first handle that cannot be made.
        _ = curl_global_init(Int(CURL_GLOBAL_ALL))
        // The fields used here were there from the first version of the structure on.
        guard let info = curl_version_info(CURLVERSION_FIRST)?.pointee else {
            self.init(version: "unknown", tls: nil, number: 0, bits: 0, protocols: [])
            return
        }
        self.init(
            version: info.version.map { String(cString: $0) } ?? "unknown",
            tls: info.ssl_version.map { String(cString: $0) },
            number: info.version_num, bits: UInt32(bitPattern: info.features),
            protocols: Self.strings(info.protocols))
    }

    /// What a library that says this of itself can do.
    init(version: String, tls: String?, number: UInt32, bits: UInt32, protocols: Set<String>) {
        self.version = version
        self.tls = tls
        self.number = number
        self.features = Set(
            CurlFeature.allCases.filter { $0.isThere(number: number, bits: bits, protocols: protocols) })
    }

    /// `libcurl 7.88.1 (OpenSSL/3.0.22)`.
    package var title: String { "libcurl \(self.version)" + (self.tls.map { " (\($0))" } ?? "") }

    func has(_ feature: CurlFeature) -> Bool { self.features.contains(feature) }

    /// Why a feature cannot be used; nil when it can.
    func lack(of feature: CurlFeature) -> String? {
        self.has(feature) ? nil : "libcurl \(self.version) has no \(feature.title)"
    }

    /// The address of a function that the headers may not know.
    static func symbol(_ name: String) -> UnsafeMutableRawPointer? {
        // The whole program is searched: libcurl is linked with it.
        dlsym(dlopen(nil, RTLD_NOW), name)
    }

    private static func strings(
        _ list: UnsafePointer<UnsafePointer<CChar>?>?
    ) -> Set<String> {
        var result: Set<String> = []
        var next = list
        while let entry = next?.pointee {
            result.insert(String(cString: entry))
            next = next?.successor()
        }
        return result
    }
}
