/// Bounds on one message head. All sizes are octets.
package struct HTTPLimits: Sendable, Hashable {
    /// The whole head, from the first octet through the blank line.
    package var maxHeadBytes: Int
    /// Field lines in one head.
    package var maxFields: Int
    /// One line, the start line included, without its line feed.
    package var maxLineBytes: Int

    package init(maxHeadBytes: Int, maxFields: Int, maxLineBytes: Int) {
        self.maxHeadBytes = maxHeadBytes
        self.maxFields = maxFields
        self.maxLineBytes = maxLineBytes
    }

    /// For requests from clients.
    ///
    /// 16 KiB of head: IIS takes 16, Tomcat and Apache's lines 8, and a Negotiate token with a large PAC
    /// needs up to 12 KiB on one line. 100 fields: Apache's and h11's bound; browsers send under 30.
    package static let serving = HTTPLimits(maxHeadBytes: 16 << 10, maxFields: 100, maxLineBytes: 16 << 10)

    /// For answers of proxies and origins.
    ///
    /// 64 KiB of head: curl takes 300, Squid sends at most 64; real answers reach 20 KB, single lines 6 KB.
    /// 256 fields: `http.client` stops at 100, and origins with many cookies come close to it.
    package static let answer = HTTPLimits(maxHeadBytes: 64 << 10, maxFields: 256, maxLineBytes: 64 << 10)
}
