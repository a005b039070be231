import CGSSAPI

#if canImport(Darwin)
    import Darwin
#elseif canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// The system's GSSAPI library (RFC 2744), looked up when it is first needed.
struct GSSAPI: Sendable {
    let importName: culvert_gss_import_name
    let initSecContext: culvert_gss_init_sec_context
    let acceptSecContext: culvert_gss_accept_sec_context
    let displayName: culvert_gss_display_name
    /// Not of RFC 2744: nil where the library has it not.
    let registerAcceptorIdentity: culvert_gss_register_acceptor_identity?
    let displayStatus: culvert_gss_display_status
    let releaseBuffer: culvert_gss_release_buffer
    let releaseName: culvert_gss_release_name
    let deleteSecContext: culvert_gss_delete_sec_context

    private static let libraries = [
        "libgssapi_krb5.so.2", "libgssapi.so.3", "/System/Library/Frameworks/GSS.framework/GSS",
    ]

    /// nil where none is installed.
    static let system: GSSAPI? = {
        guard let handle = Self.libraries.lazy.compactMap({ dlopen($0, RTLD_NOW | RTLD_LOCAL) }).first
        else { return nil }
        return GSSAPI(handle: handle)
    }()

    static let absence = "there is no Kerberos library (libgssapi_krb5) on this system"

    private init?(handle: UnsafeMutableRawPointer) {
        guard let importName = dlsym(handle, "gss_import_name"),
            let initSecContext = dlsym(handle, "gss_init_sec_context"),
            let acceptSecContext = dlsym(handle, "gss_accept_sec_context"),
            let displayName = dlsym(handle, "gss_display_name"),
            let displayStatus = dlsym(handle, "gss_display_status"),
            let releaseBuffer = dlsym(handle, "gss_release_buffer"),
            let releaseName = dlsym(handle, "gss_release_name"),
            let deleteSecContext = dlsym(handle, "gss_delete_sec_context")
        else { return nil }
        self.importName = unsafeBitCast(importName, to: culvert_gss_import_name.self)
        self.initSecContext = unsafeBitCast(initSecContext, to: culvert_gss_init_sec_context.self)
        self.acceptSecContext = unsafeBitCast(acceptSecContext, to: culvert_gss_accept_sec_context.self)
        self.displayName = unsafeBitCast(displayName, to: culvert_gss_display_name.self)
        self.registerAcceptorIdentity = dlsym(handle, "krb5_gss_register_acceptor_identity").map {
            unsafeBitCast($0, to: culvert_gss_register_acceptor_identity.self)
        }
        self.displayStatus = unsafeBitCast(displayStatus, to: culvert_gss_display_status.self)
        self.releaseBuffer = unsafeBitCast(releaseBuffer, to: culvert_gss_release_buffer.self)
        self.releaseName = unsafeBitCast(releaseName, to: culvert_gss_release_name.self)
        self.deleteSecContext = unsafeBitCast(deleteSecContext, to: culvert_gss_delete_sec_context.self)
    }

    /// What the library says of a failure, its own words last.
    func text(major: UInt32, minor: UInt32) -> String {
        let own = self.text(minor, type: 2)
        return own.isEmpty ? self.text(major, type: 1) : own
    }

    private func text(_ status: UInt32, type: Int32) -> String {
        var minor: UInt32 = 0
        var more: UInt32 = 0
        var buffer = culvert_gss_buffer()
        guard self.displayStatus(&minor, status, type, nil, &more, &buffer) == 0 else { return "" }
        defer { _ = self.releaseBuffer(&minor, &buffer) }
        return String(decoding: [UInt8](buffer), as: UTF8.self)
    }

    /// Calling and routine errors (RFC 2744 §3.9.1); what is left are notes, "continue" among them.
    static let errorMask: UInt32 = 0xFFFF_0000

    static func withBuffer<Result>(
        _ bytes: [UInt8], _ body: (UnsafeMutablePointer<culvert_gss_buffer>) -> Result
    ) -> Result {
        var bytes = bytes
        return bytes.withUnsafeMutableBytes { memory in
            var buffer = culvert_gss_buffer(length: memory.count, value: memory.baseAddress)
            return body(&buffer)
        }
    }
}

extension [UInt8] {
    /// A copy of what a buffer of the library's holds.
    init(_ buffer: culvert_gss_buffer) {
        self.init(UnsafeRawBufferPointer(start: buffer.value, count: buffer.length))
    }
}
