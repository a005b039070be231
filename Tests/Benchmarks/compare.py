"""Puts the same load on Culvert's proxy and on the field, in turn, and tells every figure and its ratio.

Run it through compare.sh, which installs and builds first.
"""

import argparse
import contextlib
import json
import pathlib
import statistics
import subprocess
import sys
import time

import peers
import picture
from peers import say

FULL = [
    ("download", 1),
    ("download", 8),
    ("upload", 1),
    ("upload", 8),
    ("round-trip", 8),
    ("round-trip", 64),
    ("open", 8),
    ("requests", 8),
    ("idle", 4000),
    ("idle", 15000),
]
QUICK = [
    ("download", 8),
    ("upload", 8),
    ("round-trip", 8),
    ("open", 8),
    ("requests", 8),
    ("idle", 2000),
]
GROWTH_TUNNELS = [1, 8, 64, 512, 4000, 15000]

# What is compared of each load: the field of the result, how it is told, and its unit.
FIGURES = {
    "download": [("cpuPerUnit", "CPU s/GB", 1)],
    "upload": [("cpuPerUnit", "CPU s/GB", 1)],
    "round-trip": [("cpuPerUnit", "CPU µs each", 1), ("p99Latency", "p99 µs", 1)],
    "open": [("cpuPerUnit", "CPU µs each", 1), ("p99Latency", "p99 µs", 1)],
    "requests": [("cpuPerUnit", "CPU µs each", 1)],
    "idle": [("bytesPerTunnel", "kB each", 1e-3)],
}


def parse_arguments():
    parser = argparse.ArgumentParser(
        prog="compare.sh",
        description="Compares Culvert's proxy with squid, tinyproxy, Traffic Server, Envoy, nginx and HAProxy.",
    )
    parser.add_argument("--quick", action="store_true", help="fewer and shorter loads: about four minutes")
    parser.add_argument("--growth", action="store_true", help="how cost grows with tunnels and threads instead")
    parser.add_argument("--only", metavar="NAMES", help="proxies whose names begin so, comma-separated")
    parser.add_argument("--loads", metavar="NAMES", help="only these loads, comma-separated")
    parser.add_argument("--rounds", type=int, help="how often all of it is run; the medians are told (3; quick: 2)")
    parser.add_argument("--seconds", type=float, help="how long each load is measured (3; quick: 1)")
    parser.add_argument("--out", type=pathlib.Path, help="folder for the JSON and the picture (.build/benchmarks)")
    parser.add_argument("--programs", type=pathlib.Path, required=True, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    arguments.programs = arguments.programs.absolute()
    arguments.rounds = arguments.rounds or (2 if arguments.quick or arguments.growth else 3)
    arguments.seconds = arguments.seconds or (1 if arguments.quick else 3)
    arguments.out = arguments.out or pathlib.Path(".build/benchmarks")
    arguments.out.mkdir(parents=True, exist_ok=True)
    return arguments


class Comparison:
    def __init__(self, programs, seconds):
        self.generator = programs / "benchmarks"
        self.seconds = seconds
        self.origin = peers.free_port()
        # (peer, load, tunnels) -> the results, one a round.
        self.results = {}
        self.failures = {}

    def run(self, candidates, loads, rounds):
        """All peers in turn, again and again, before the next load: a machine that is not ours alone is faster at one
        minute than at another, and what is compared must have had the same minute."""
        installed = [peer for peer in candidates if self.is_there(peer)]
        busy = [load for load in loads if load[0] != "idle"]
        if busy:
            with contextlib.ExitStack() as stack:
                started = [self.start(peer, stack) for peer in installed]
                for load, tunnels in busy:
                    for turn in range(rounds):
                        say(f"compare: {load}, {tunnels} at once, round {turn + 1} of {rounds}")
                        for running in started:
                            if running and running.peer.takes(load):
                                self.measure(running, load, tunnels)
        # Idle tunnels want a new process each time: a heap that once grew tells nothing.
        for load, tunnels in [load for load in loads if load[0] == "idle"]:
            for turn in range(rounds):
                say(f"compare: {load}, {tunnels} at once, round {turn + 1} of {rounds}")
                for peer in installed:
                    with contextlib.ExitStack() as stack:
                        running = self.start(peer, stack) if peer.takes(load) else None
                        if running:
                            self.measure(running, load, tunnels)

    def is_there(self, peer):
        if not peer.is_installed():
            self.failures[(peer.name, "all")] = f"{peer.command[0]} is not installed"
        return peer.is_installed()

    def start(self, peer, stack):
        try:
            return stack.enter_context(peers.Running(peer, self.origin))
        except (RuntimeError, OSError) as error:
            self.failures[(peer.name, "all")] = str(error)
            return None

    def measure(self, running, load, tunnels):
        name = running.peer.name
        command = [self.generator, "load", load, "--json", "--tunnels", str(tunnels)]
        command += ["--seconds", str(self.seconds), "--watch", str(running.process.pid)]
        command += ["--origin", str(self.origin), f"--{running.peer.kind}", str(running.port)]
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=self.seconds * 3 + 240)
        except subprocess.TimeoutExpired:
            self.failures[(name, f"{load} {tunnels}")] = "took too long"
            return
        if done.returncode != 0:
            said = done.stderr.strip().splitlines()
            self.failures[(name, f"{load} {tunnels}")] = said[-1].removeprefix("Error: ") if said else "failed"
            return
        self.results.setdefault((name, load, tunnels), []).append(json.loads(done.stdout))

    def values(self, name, load, tunnels, field):
        return [result[field] for result in self.results.get((name, load, tunnels), []) if field in result]

    def median(self, name, load, tunnels, field):
        values = self.values(name, load, tunnels, field)
        return statistics.median(values) if values else None

    def ratio(self, name, base, load, tunnels, field):
        """The median of the rounds' own ratios; None where one of them is missing in a round."""
        values, bases = (self.values(each, load, tunnels, field) for each in (name, base))
        if not values or len(values) != len(bases) or not all(bases):
            return None
        return statistics.median(value / other for value, other in zip(values, bases))

    def document(self):
        return {
            "machine": peers.machine(),
            "seconds": self.seconds,
            "results": [
                {"peer": name, "load": load, "tunnels": tunnels, "rounds": results}
                for (name, load, tunnels), results in self.results.items()
            ],
            "failures": [
                {"peer": name, "load": load, "reason": reason} for (name, load), reason in self.failures.items()
            ],
        }


def columns(loads):
    for load, tunnels in loads:
        for field, unit, factor in FIGURES[load]:
            yield load, tunnels, field, unit, factor


def table(comparison, names, loads):
    """Markdown: a row for each figure, a column for each proxy, Culvert's ratios at the end."""
    heads = ["", *names]
    ratios = [(name, base) for name in names if name.startswith("culvert") for base in bases(name) if base in names]
    heads += [f"{name} ÷ {base}" for name, base in ratios]
    lines = ["| " + " | ".join(heads) + " |", "|---|" + "---:|" * (len(heads) - 1)]
    for load, tunnels, field, unit, factor in columns(loads):
        median = {name: comparison.median(name, load, tunnels, field) for name in names}
        cells = [f"{load}, {tunnels} at once: {unit}"]
        cells += [number(median[name], factor) for name in names]
        cells += [number(comparison.ratio(name, base, load, tunnels, field)) for name, base in ratios]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def bases(name):
    """Whom it is compared with: those that do the same work."""
    if name.endswith("access log"):
        return ["squid, access log"]
    return ["squid", "nginx stream"] + ([peers.EVERY_NGINX] if name == "culvert" else [])


def number(value, factor=1):
    if value is None:
        return "–"
    value *= factor
    return f"{value:.0f}" if abs(value) >= 100 else f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"


def tell_failures(comparison):
    for (name, load), reason in comparison.failures.items():
        print(f"- {name}, {load}: {reason}")


def chosen(candidates, only):
    if not only:
        return candidates
    return [peer for peer in candidates if any(peer.name.lower().startswith(word.lower()) for word in only.split(","))]


def fitting(loads, wanted):
    """Without the loads that nobody asked for, and with as many tunnels as this machine has descriptors for."""
    result = []
    for load, tunnels in loads:
        if wanted and load not in wanted.split(","):
            continue
        most = min(tunnels, peers.most_tunnels())
        if most < tunnels:
            say(f"compare: {most} tunnels instead of {tunnels}: no more descriptors (ulimit -n)")
        if (load, most) not in result:
            result.append((load, most))
    return result


def compare(arguments):
    every = peers.culvert_engines(arguments.programs) + peers.field() + peers.logging(arguments.programs)
    candidates = chosen(every, arguments.only)
    loads = fitting(QUICK if arguments.quick else FULL, arguments.loads)
    comparison = Comparison(arguments.programs, arguments.seconds)
    comparison.run(candidates, loads, arguments.rounds)
    names = [peer.name for peer in candidates]
    print(table(comparison, names, loads))
    tell_failures(comparison)
    panels = [
        (
            f"{load}, {tunnels} at once: {unit}",
            [
                (peer.name, scaled(comparison.median(peer.name, load, tunnels, field), factor))
                for peer in candidates
                if peer.takes(load)
            ],
        )
        for load, tunnels, field, unit, factor in columns(loads)
    ]
    write(arguments.out / "compare", comparison, picture.bars("Less is better", panels))
    return comparison


def scaled(value, factor):
    return None if value is None else value * factor


def grow(arguments):
    """Tunnels 1 to 15,000, threads 1 to 2, and what grows first."""
    candidates = [
        *(
            peers.culvert(arguments.programs, f"culvert, {threads} thread" + "s" * (threads > 1), threads=threads)
            for threads in (1, 2)
        ),
        *(peer for peer in peers.field() if peer.name in ("squid", "nginx stream")),
    ]
    candidates = chosen(candidates, arguments.only)
    kinds = ["download", "round-trip", "open", "idle"]
    steps = [(load, tunnels) for tunnels in GROWTH_TUNNELS for load in kinds]
    # So many at once in the middle of being opened are no tunnels any more, but a full backlog.
    steps = [(load, tunnels) for load, tunnels in steps if load != "open" or tunnels <= 512]
    loads = fitting(steps, arguments.loads)
    comparison = Comparison(arguments.programs, arguments.seconds)
    comparison.run(candidates, loads, arguments.rounds)
    names = [peer.name for peer in candidates]
    print(table(comparison, names, loads))
    tell_failures(comparison)
    panels = []
    for load in dict.fromkeys(load for load, _ in loads):
        for field, unit, factor in FIGURES[load]:
            counts = [tunnels for other, tunnels in loads if other == load]
            lines = [
                (name, [(count, scaled(comparison.median(name, load, count, field), factor)) for count in counts])
                for name in names
            ]
            panels.append((f"{load}: {unit}", lines))
    tell_growth(panels)
    write(arguments.out / "growth", comparison, picture.lines("Tunnels at once", panels))
    return comparison


def tell_growth(panels):
    """What bends first: for each figure, how much more it is at the most tunnels than at its least."""
    print("\nGrowth: the figure at the most tunnels ÷ its least\n")
    for title, lines in panels:
        for name, points in lines:
            values = [value for _, value in points if value]
            if len(values) > 1 and min(values) > 0:
                print(f"- {title}, {name}: {values[-1] / min(values):.1f}")


def write(stem, comparison, drawing):
    stem.with_suffix(".json").write_text(json.dumps(comparison.document(), indent=1) + "\n")
    stem.with_suffix(".svg").write_text(drawing)
    say(f"compare: wrote {stem}.json and {stem}.svg")


def main():
    arguments = parse_arguments()
    began = time.monotonic()
    comparison = grow(arguments) if arguments.growth else compare(arguments)
    say(f"compare: {time.monotonic() - began:.0f} s")
    ours = [key for key in comparison.failures if key[0].startswith("culvert")]
    sys.exit(1 if ours or not comparison.results else 0)


main()
