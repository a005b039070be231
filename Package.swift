// swift-tools-version: 6.2
import PackageDescription

/// Set by the test script: our own warnings become errors. A package that depends on Culvert never sees it.
let strict = Context.environment["CULVERT_STRICT"] != nil

let settings: [SwiftSetting] =
    [
        .swiftLanguageMode(.v6),
        .enableUpcomingFeature("ExistentialAny"),
        .enableUpcomingFeature("InternalImportsByDefault"),
        .enableUpcomingFeature("MemberImportVisibility"),
    ] + (strict ? [.treatAllWarnings(as: .error)] : [])

extension Target.Dependency {
    static let nioCore = product(name: "NIOCore", package: "swift-nio")
    static let nioPosix = product(name: "NIOPosix", package: "swift-nio")
    static let nioSSL = product(name: "NIOSSL", package: "swift-nio-ssl")
    static let nioTLS = product(name: "NIOTLS", package: "swift-nio")
    static let nioEmbedded = product(name: "NIOEmbedded", package: "swift-nio")
    static let nioHTTP1 = product(name: "NIOHTTP1", package: "swift-nio")
    static let httpTypes = product(name: "HTTPTypes", package: "swift-http-types")
    static let nioHTTP2 = product(name: "NIOHTTP2", package: "swift-nio-http2")
    static let nioHPACK = product(name: "NIOHPACK", package: "swift-nio-http2")
    static let asn1 = product(name: "SwiftASN1", package: "swift-asn1")
    static let crypto = product(name: "Crypto", package: "swift-crypto")
    static let logging = product(name: "Logging", package: "swift-log")
    static let metrics = product(name: "Metrics", package: "swift-metrics")
    static let metricsTestKit = product(name: "MetricsTestKit", package: "swift-metrics")
    static let lifecycle = product(name: "ServiceLifecycle", package: "swift-service-lifecycle")
    static let tracing = product(
        name: "Tracing", package: "swift-distributed-tracing", condition: .when(traits: ["Tracing"]))
    static let inMemoryTracing = product(
        name: "InMemoryTracing", package: "swift-distributed-tracing", condition: .when(traits: ["Tracing"]))
    static let unixSignals = product(name: "UnixSignals", package: "swift-service-lifecycle")
    static let yams = product(name: "Yams", package: "Yams")
    static let argumentParser = product(name: "ArgumentParser", package: "swift-argument-parser")
}

/// Set by Tests/Fuzz/run.sh: the wires are built with the coverage counters that libFuzzer reads.
let isFuzzing = Context.environment["CULVERT_FUZZ"] != nil
let instrumented: [SwiftSetting] = isFuzzing ? [.unsafeFlags(["-sanitize=fuzzer"])] : []

func library(_ name: String, _ dependencies: [Target.Dependency], extra: [SwiftSetting] = []) -> Target {
    .target(name: name, dependencies: dependencies, swiftSettings: settings + extra)
}

func fuzzer(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
    .executableTarget(
        name: "Fuzz\(name)",
        dependencies: dependencies,
        path: "Tests/Fuzz/\(name)",
        swiftSettings: settings + [.unsafeFlags(["-parse-as-library", "-sanitize=fuzzer"])],
        linkerSettings: [.unsafeFlags(["-sanitize=fuzzer"])])
}

func tests(_ name: String, _ dependencies: [Target.Dependency], exclude: [String] = []) -> Target {
    .testTarget(name: name, dependencies: dependencies, exclude: exclude, swiftSettings: settings)
}

var products: [Product] = [
    .library(name: "CulvertTunnel", targets: ["CulvertTunnel"]),
    .library(name: "CulvertWebSocket", targets: ["CulvertWebSocket"]),
    .library(name: "CulvertWebSocketTesting", targets: ["CulvertWebSocketTesting"]),
    .library(name: "CulvertProxy", targets: ["CulvertProxy"]),
    .library(name: "CulvertAdmin", targets: ["CulvertAdmin"]),
    .executable(name: "culvert", targets: ["culvert"]),
]

// Arrows point down only: L0 wires, L1 decisions, L2 and L3 on SwiftNIO, L4 the command.
var targets: [Target] = [
    library("HTTPWire", [.nioCore, .httpTypes], extra: instrumented),
    library("WebSocketWire", ["HTTPWire", "CZlib", .nioCore, .httpTypes, .crypto], extra: instrumented),
    library("SOCKSWire", ["HTTPWire", .nioCore], extra: instrumented),
    library("PortWire", ["HTTPWire", .nioCore], extra: instrumented),

    .systemLibrary(name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"]), .brew(["zlib"])]),

    library("ProxyAuth", ["HTTPWire", .crypto]),
    // The types of GSSAPI; the library itself is looked up at run time.
    .systemLibrary(name: "CGSSAPI"),
    library("ProxyRoutes", ["HTTPWire", "ProxyAuth"]),
    library("ProxyPolicy", ["HTTPWire"]),

    // Only the command has the JavaScript engine in it; the libraries run the command.
    .systemLibrary(
        name: "CDuktape", pkgConfig: "duktape", providers: [.apt(["duktape-dev"]), .brew(["duktape"])]),
    .target(name: "CPACEngine", dependencies: ["CDuktape"]),
    library("PACEngine", ["CPACEngine", "HTTPWire", "ProxyRoutes"]),

    .target(name: "CSpawn"),
    library("Spawn", ["CSpawn"]),

    library(
        "CulvertTunnel",
        [
            "CGSSAPI", "HTTPWire", "SOCKSWire", "ProxyAuth", "ProxyRoutes", "Spawn", .nioCore, .nioPosix, .nioSSL,
            .nioTLS, .asn1,
            .httpTypes, .crypto,
        ]),
    library(
        "CulvertWebSocket",
        [
            "CulvertTunnel", "HTTPWire", "WebSocketWire", .nioCore, .nioPosix, .nioSSL, .httpTypes, .logging,
            .metrics, .lifecycle, .tracing,
        ]),
    .target(name: "CLinux"),
    library("CulvertWebSocketTesting", ["CulvertWebSocket", .nioCore, .nioEmbedded]),
    library(
        "CulvertProxy",
        [
            "CLinux", "CulvertTunnel", "HTTPWire", "PortWire", "SOCKSWire", "ProxyAuth", "ProxyPolicy",
            "ProxyRoutes",
            .nioCore, .nioPosix, .nioSSL, .nioTLS, .nioHTTP2, .nioHPACK, .httpTypes, .logging, .metrics,
            .lifecycle, .yams,
        ]),

    // The admin listener needs the proxy and the WebSocket server, which need not know each other.
    .target(
        name: "CulvertAdmin",
        dependencies: [
            "CulvertProxy", "CulvertWebSocket", "HTTPWire", .nioCore, .httpTypes, .logging, .lifecycle,
        ],
        resources: [.embedInCode("Resources")],
        swiftSettings: settings),

    .systemLibrary(
        name: "CCurl", pkgConfig: "libcurl", providers: [.apt(["libcurl4-openssl-dev"]), .brew(["curl"])]),
    .systemLibrary(
        name: "COpenSSL", pkgConfig: "openssl", providers: [.apt(["libssl-dev"]), .brew(["openssl@3"])]),
    // Sees the libraries above only through sockets, and through the client that the command hands it.
    .target(
        name: "CulvertInterop",
        dependencies: ["CCurl", "COpenSSL", "HTTPWire", "Spawn", "WebSocketWire", .nioCore, .httpTypes],
        resources: [.copy("Resources")],
        swiftSettings: settings),

    .executableTarget(
        name: "culvert",
        dependencies: [
            "CulvertTunnel", "CulvertWebSocket", "CulvertProxy", "CulvertAdmin", "CulvertInterop", "HTTPWire",
            "PACEngine", "ProxyRoutes", "WebSocketWire", .nioCore, .nioPosix, .nioSSL, .httpTypes, .logging,
            .lifecycle,
            .unixSignals, .argumentParser,
        ],
        swiftSettings: settings),

    .executableTarget(
        name: "echo-server",
        dependencies: ["CulvertWebSocket", .nioCore],
        path: "Examples/EchoServer",
        swiftSettings: settings),
    .executableTarget(
        name: "netcat",
        dependencies: ["CulvertTunnel", .nioCore],
        path: "Examples/NetCat",
        swiftSettings: settings),
    .executableTarget(
        name: "autobahn-client",
        dependencies: ["CulvertWebSocket", .argumentParser],
        path: "Tests/Autobahn",
        exclude: ["suite.py"],
        swiftSettings: settings),

    // Not part of the tests: what the codec, the proxy and the WebSockets cost.
    .executableTarget(
        name: "benchmarks",
        dependencies: [
            "CBenchmarks", "CulvertWebSocket", "HTTPWire", "WebSocketWire", .nioCore, .nioSSL,
            .argumentParser,
        ],
        path: "Tests/Benchmarks/Command",
        swiftSettings: settings),
    .target(name: "CBenchmarks", path: "Tests/Benchmarks/CBenchmarks"),

    .target(
        name: "TestSupport",
        dependencies: ["CLinux", "HTTPWire", "WebSocketWire", .nioCore, .nioPosix],
        path: "Tests/TestSupport",
        swiftSettings: settings),
    tests("HTTPWireTests", ["HTTPWire", .nioCore, .nioHTTP1, .nioEmbedded, .httpTypes]),
    tests("WebSocketWireTests", ["WebSocketWire", "HTTPWire", .nioCore, .httpTypes]),
    tests("SOCKSWireTests", ["SOCKSWire", "HTTPWire", .nioCore]),
    tests("PortWireTests", ["PortWire", "HTTPWire", .nioCore]),
    tests("ProxyAuthTests", ["ProxyAuth", "HTTPWire"]),
    tests("ProxyRoutesTests", ["ProxyRoutes", "ProxyAuth", "HTTPWire"]),
    tests("ProxyPolicyTests", ["ProxyPolicy", "HTTPWire"]),
    tests("PACEngineTests", ["PACEngine", "ProxyRoutes", "HTTPWire"]),
    tests(
        "CulvertTunnelTests",
        [
            "TestSupport", "CulvertTunnel", "HTTPWire", "ProxyAuth", "ProxyRoutes", .nioCore, .nioPosix,
            .nioSSL, .httpTypes,
        ]),
    tests(
        "CulvertWebSocketTests",
        [
            "TestSupport", "CulvertWebSocket", "CulvertTunnel", "WebSocketWire", "HTTPWire", .nioCore,
            .nioPosix, .nioSSL, .httpTypes, .logging, .lifecycle, .metricsTestKit, .inMemoryTracing,
        ]),
    tests("CulvertWebSocketTestingTests", ["CulvertWebSocketTesting", .nioCore]),
    tests(
        "CulvertProxyTests",
        [
            "TestSupport", "CulvertProxy", "CulvertTunnel", "HTTPWire", "ProxyAuth", "ProxyPolicy", .nioCore,
            .nioPosix,
            .httpTypes, .logging,
        ]),
    tests(
        "CulvertAdminTests",
        [
            "TestSupport", "CulvertAdmin", "CulvertProxy", "CulvertTunnel", "CulvertWebSocket", "HTTPWire",
            .nioCore, .httpTypes, .logging, .lifecycle,
        ]),
    tests(
        "CulvertInteropTests",
        ["TestSupport", "CulvertInterop", "HTTPWire", "WebSocketWire", .nioCore, .httpTypes]),
    tests(
        "EndToEndTests",
        [
            "TestSupport", "culvert", "netcat", "CulvertInterop", "CulvertProxy", "CulvertTunnel",
            "CulvertWebSocket",
            "HTTPWire", .nioCore,
            .nioPosix, .yams,
        ],
        exclude: ["Peers"]),
]

if isFuzzing {
    targets += [
        fuzzer("HTTPWire", ["HTTPWire", .nioCore, .httpTypes]),
        fuzzer("SOCKSWire", ["SOCKSWire", "PortWire", "HTTPWire", .nioCore]),
        fuzzer("WebSocketWire", ["WebSocketWire", "HTTPWire", .nioCore, .httpTypes]),
    ]
}

let package = Package(
    name: "culvert",
    platforms: [.macOS(.v15)],
    products: products,
    traits: [
        .trait(
            name: "Tracing",
            description: "A span for each WebSocket that a client opens, through swift-distributed-tracing.")
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
        .package(url: "https://github.com/apple/swift-nio-ssl", from: "2.37.6"),
        .package(url: "https://github.com/apple/swift-nio-http2", from: "1.46.0"),
        .package(url: "https://github.com/apple/swift-http-types", from: "1.8.0"),
        .package(url: "https://github.com/apple/swift-crypto", from: "4.5.2"),
        .package(url: "https://github.com/apple/swift-asn1", from: "1.7.4"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        .package(url: "https://github.com/apple/swift-metrics", from: "2.13.0"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
        .package(url: "https://github.com/apple/swift-distributed-tracing", from: "1.7.3"),
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
    ],
    targets: targets)
