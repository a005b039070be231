import CulvertProxy
import Testing

@Suite("The text exposition of Prometheus")
struct PrometheusTextTests {
    @Test("a family has its help, its type and one line a sample")
    func family() {
        let family = MetricFamily(
            name: "culvert_bytes_total", help: "Bytes.", kind: .counter,
            samples: [
                .init(labels: [("direction", "up")], value: 3),
                .init(labels: [("direction", "down")], value: 1.5),
            ])
        #expect(
            PrometheusText.render([family]) == """
                # HELP culvert_bytes_total Bytes.
                # TYPE culvert_bytes_total counter
                culvert_bytes_total{direction="up"} 3
                culvert_bytes_total{direction="down"} 1.5

                """)
    }

    @Test(
        "no value of a label leaves its quotes or its line",
        arguments: [
            ("plain", "plain"), ("a\"b", "a\\\"b"), ("a\\b", "a\\\\b"),
            ("a\nb 1\nforged 2", "a\\nb 1\\nforged 2"),
            ("\"} 1\nforged", "\\\"} 1\\nforged"),
        ])
    func escaping(value: String, escaped: String) {
        let family = MetricFamily(
            name: "m", help: "Help\nforged \\", kind: .gauge,
            samples: [.init(labels: [("l", value)], value: 1)])
        #expect(
            PrometheusText.render([family])
                == "# HELP m Help\\nforged \\\\\n# TYPE m gauge\nm{l=\"\(escaped)\"} 1\n")
    }

    @Test(
        "numbers",
        arguments: [
            (0.0, "0"), (9_007_199_254_740_991, "9007199254740991"), (0.25, "0.25"), (1e300, "1e+300"),
            (.infinity, "+Inf"), (.nan, "NaN"), (-1, "-1"),
        ])
    func numbers(value: Double, text: String) {
        let rendered = PrometheusText.render([MetricFamily(.gauge, "m", value, "h")])
        #expect(rendered.hasSuffix("m \(text)\n"))
    }
}
