import CCurl

/// The functions libcurl calls, each with the ``CurlExchange`` of its transfer as context.
enum CurlCallbacks {
    /// Names the functions and the context; the handle must not outlive the exchange.
    static func install(_ exchange: CurlExchange, on handle: UnsafeMutableRawPointer) {
        let context = Unmanaged.passUnretained(exchange).toOpaque()
        for option in [CURLOPT_WRITEDATA, CURLOPT_HEADERDATA, CURLOPT_READDATA, CURLOPT_SEEKDATA] {
            _ = culvert_curl_set_pointer(handle, option, context)
        }
        _ = culvert_curl_set_pointer(handle, CURLOPT_XFERINFODATA, context)
        _ = culvert_curl_set_data_function(handle, CURLOPT_WRITEFUNCTION, Self.write)
        _ = culvert_curl_set_data_function(handle, CURLOPT_HEADERFUNCTION, Self.header)
        _ = culvert_curl_set_data_function(handle, CURLOPT_READFUNCTION, Self.read)
        _ = culvert_curl_set_seek_function(handle, Self.seek)
        _ = culvert_curl_set_progress_function(handle, Self.progress)
        _ = culvert_curl_set_long(handle, CURLOPT_NOPROGRESS, 0)
    }

    private static func exchange(_ context: UnsafeMutableRawPointer?) -> CurlExchange? {
        context.map { Unmanaged<CurlExchange>.fromOpaque($0).takeUnretainedValue() }
    }

    private static let write: culvert_curl_data_function = { bytes, size, count, context in
        let piece = UnsafeRawBufferPointer(start: bytes, count: size * count)
        // Another number than it gave ends the transfer.
        return exchange(context)?.takeBody(piece) == true ? piece.count : 0
    }

    private static let header: culvert_curl_data_function = { bytes, size, count, context in
        let line = UnsafeRawBufferPointer(start: bytes, count: size * count)
        return exchange(context)?.takeHeaderLine(line) == true ? line.count : 0
    }

    private static let read: culvert_curl_data_function = { bytes, size, count, context in
        exchange(context)?.upload?.read(
            into: UnsafeMutableRawBufferPointer(start: bytes, count: size * count)) ?? 0
    }

    private static let seek: curl_seek_callback = { context, offset, origin in
        // SEEK_SET is the only one libcurl uses.
        let isDone = origin == 0 && exchange(context)?.upload?.seek(to: Int(offset)) == true
        return isDone ? CURL_SEEKFUNC_OK : CURL_SEEKFUNC_FAIL
    }

    private static let progress: curl_xferinfo_callback = { context, _, _, _, _ in
        exchange(context)?.deadline?.isOver == true ? 1 : 0
    }
}
