/// The samples of one metric, as an exposition shows them together.
package struct MetricFamily: Sendable {
    package enum Kind: String, Sendable {
        case counter
        case gauge
        case histogram
    }

    package struct Sample: Sendable {
        /// Behind the family's name: `_bucket` and its like.
        package var suffix = ""
        package var labels: [(name: String, value: String)] = []
        package var value: Double

        package init(suffix: String = "", labels: [(String, String)] = [], value: Double) {
            self.suffix = suffix
            self.labels = labels.map { (name: $0.0, value: $0.1) }
            self.value = value
        }
    }

    package var name: String
    /// One sentence.
    package var help: String
    package var kind: Kind
    package var samples: [Sample]

    package init(name: String, help: String, kind: Kind, samples: [Sample]) {
        self.name = name
        self.help = help
        self.kind = kind
        self.samples = samples
    }

    /// A family of one sample without labels.
    package init(_ kind: Kind, _ name: String, _ value: Double, _ help: String) {
        self.init(name: name, help: help, kind: kind, samples: [Sample(value: value)])
    }
}
