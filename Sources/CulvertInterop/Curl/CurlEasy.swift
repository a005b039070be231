import CCurl

/// One transfer of libcurl: a handle with its options, what went by, and how it came out.
///
/// `@unchecked Sendable`: it is used by one thread at a time. Whoever makes it sets it up and hands it to a
/// ``CurlMulti`` or a ``CurlThread``, and looks at it again when that is done with it.
final class CurlEasy: @unchecked Sendable {
    let handle: UnsafeMutableRawPointer
    let exchange = CurlExchange()
    /// What the proxy speaks; nil without one.
    var proxyKind: CurlProxy.Kind?
    /// libcurl keeps pointers to them.
    private var lists: [UnsafeMutablePointer<curl_slist>] = []
    private let errorText: UnsafeMutablePointer<CChar>

    /// - Throws: `InteropFailure` when libcurl makes no handle or does not know an option.
    init(_ options: [CurlOption]) throws(InteropFailure) {
        _ = CurlLibrary.current
        guard let handle = curl_easy_init() else {
            throw InteropFailure(.other, "libcurl makes no handle")
        }
        self.handle = handle
        self.errorText = .allocate(capacity: Int(CURL_ERROR_SIZE))
        self.errorText.initialize(repeating: 0, count: Int(CURL_ERROR_SIZE))
        CurlCallbacks.install(self.exchange, on: handle)
        _ = culvert_curl_set_pointer(handle, CURLOPT_ERRORBUFFER, self.errorText)
        // Signals would interrupt other threads.
        try self.set(CURLOPT_NOSIGNAL, 1)
        // The routes are the harness' alone: neither of the environment's variables counts.
        try self.set(CURLOPT_PROXY, "")
        try self.set(CURLOPT_NOPROXY, "")
        try self.set(CURLOPT_HTTP_VERSION, CurlNumber.http11)
        for option in options { try option.apply(to: self) }
    }

    deinit {
        curl_easy_cleanup(self.handle)
        for list in self.lists { curl_slist_free_all(list) }
        self.errorText.deallocate()
    }

    // MARK: Options

    func set(_ option: CURLoption, _ value: Int) throws(InteropFailure) {
        try self.check(culvert_curl_set_long(self.handle, option, value), option)
    }

    func set(_ option: CURLoption, offset value: Int) throws(InteropFailure) {
        try self.check(culvert_curl_set_offset(self.handle, option, curl_off_t(value)), option)
    }

    /// libcurl copies the text.
    func set(_ option: CURLoption, _ value: String) throws(InteropFailure) {
        try self.check(value.withCString { culvert_curl_set_pointer(self.handle, option, $0) }, option)
    }

    func set(_ option: CURLoption, _ lines: [String]) throws(InteropFailure) {
        var list: UnsafeMutablePointer<curl_slist>?
        for line in lines {
            guard let longer = curl_slist_append(list, line) else {
                curl_slist_free_all(list)
                throw InteropFailure(.other, "libcurl has no memory left")
            }
            list = longer
        }
        guard let list else { return }
        self.lists.append(list)
        try self.check(culvert_curl_set_pointer(self.handle, option, list), option)
    }

    private func check(_ code: CURLcode, _ option: CURLoption) throws(InteropFailure) {
        guard code != CURLE_OK else { return }
        let text = String(cString: curl_easy_strerror(code))
        throw InteropFailure(.other, "libcurl refuses option \(option.rawValue): \(text)")
    }

    // MARK: Results

    /// How a transfer that ended with `code` came out.
    func outcome(_ code: CURLcode) -> CurlOutcome {
        let text = String(cString: self.errorText)
        var outcome = CurlOutcome(code: Int(code.rawValue))
        outcome.message = text.isEmpty ? String(cString: curl_easy_strerror(code)) : text
        outcome.status = self.info(CURLINFO_RESPONSE_CODE)
        outcome.connectStatus = self.info(CURLINFO_HTTP_CONNECTCODE)
        outcome.newConnections = self.info(CURLINFO_NUM_CONNECTS) ?? 0
        outcome.isChallenged = self.info(CURLINFO_PROXYAUTH_AVAIL) != nil
        outcome.proxyError = self.info(CURLINFO_PROXY_ERROR)
        outcome.proxyVerifyResult = self.info(CURLINFO_PROXY_SSL_VERIFYRESULT)
        outcome.primaryPort = self.info(CURLINFO_PRIMARY_PORT)
        outcome.primaryAddress = self.text(CURLINFO_PRIMARY_IP)
        outcome.usedProxy = self.number(CURLINFO(rawValue: CurlNumber.usedProxy)).map { $0 != 0 }
        outcome.proxyKind = self.proxyKind
        outcome.heads = self.exchange.heads
        outcome.body = self.exchange.body
        return outcome
    }

    /// Runs the transfer here, blocking. A cancellation shows within a second, when libcurl asks.
    ///
    /// - Throws: `InteropFailure` with libcurl's reason; `CancellationError`.
    func open(_ deadline: CurlDeadline) throws {
        // Besides libcurl's own limits: 8.23 has none while it waits for the answer to an upgrade.
        self.exchange.deadline = deadline
        try CurlOption.timeout(deadline.timeLeft()).apply(to: self)
        try CurlOption.connectTimeout(deadline.timeLeft()).apply(to: self)
        let outcome = self.outcome(curl_easy_perform(self.handle))
        _ = try deadline.timeLeft()
        if let failure = outcome.failure { throw failure }
    }

    /// Waits until the open connection has something to read, or room to write if that is asked for.
    ///
    /// - Throws: as ``CurlDeadline/timeLeft()``; `InteropFailure` when there is no connection.
    func wait(_ deadline: CurlDeadline, writing: Bool) throws {
        guard let socket = self.socket else {
            throw InteropFailure(.connectionLost, "libcurl has no socket any more")
        }
        try deadline.wait(for: socket, writing: writing)
    }

    /// The socket of a connection that was only opened; nil when there is none.
    private var socket: Int32? {
        var socket: curl_socket_t = -1
        guard culvert_curl_get_socket(self.handle, &socket) == CURLE_OK, socket >= 0 else { return nil }
        return Int32(socket)
    }

    /// nil where libcurl does not know the info, or it is zero, by which it says that there is none.
    private func info(_ info: CURLINFO) -> Int? {
        self.number(info).flatMap { $0 == 0 ? nil : $0 }
    }

    private func number(_ info: CURLINFO) -> Int? {
        var value = 0
        return culvert_curl_get_long(self.handle, info, &value) == CURLE_OK ? value : nil
    }

    private func text(_ info: CURLINFO) -> String? {
        var value: UnsafeMutablePointer<CChar>?
        guard culvert_curl_get_string(self.handle, info, &value) == CURLE_OK, let value else { return nil }
        return String(cString: value)
    }
}

/// Numbers of libcurl that not every system's headers know, or only as macros Swift does not read.
enum CurlNumber {
    /// `CURL_HTTP_VERSION_1_1`.
    static let http11 = 2
    /// `CURL_IPRESOLVE_V4`.
    static let ipv4 = 1
    /// `CURLINFO_USED_PROXY`, since 8.7.0.
    static let usedProxy: UInt32 = 0x20_0000 + 66
}
