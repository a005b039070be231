"""Echoes for each second of processor time, of Culvert's WebSockets and of other libraries', as server and as client.

Run it through websocket.sh, which installs and builds first.
"""

import argparse
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

import peers
from peers import Peer, say

SIZES = [32, 1024, 65536]
CONNECTIONS = 32
IDLE = 5000
# The clients are made for the load; the servers are those of the interoperability runs.
CLIENTS = pathlib.Path(__file__).parent.absolute() / "Peers" / "websocket"
SERVERS = pathlib.Path(__file__).parents[2].absolute() / "Sources" / "CulvertInterop" / "Resources" / "peers"
GO = {"GO111MODULE": "off", "GOPATH": "/usr/share/gocode"}
NODE = {"NODE_PATH": "/usr/share/nodejs"}


def parse_arguments():
    parser = argparse.ArgumentParser(
        prog="websocket.sh",
        description="Compares Culvert's WebSockets with Python websockets, Node ws, gorilla and libwebsockets.",
    )
    parser.add_argument("--quick", action="store_true", help="fewer and shorter loads: about four minutes")
    parser.add_argument("--only", metavar="NAMES", help="libraries whose names begin so, comma-separated")
    parser.add_argument("--role", choices=["server", "client", "idle"], help="only this part")
    parser.add_argument("--sizes", metavar="BYTES", help="sizes of messages, comma-separated (32,1024,65536)")
    parser.add_argument("--rounds", type=int, help="how often all of it is run; the medians are told (3; quick: 2)")
    parser.add_argument("--seconds", type=float, help="how long each load is measured (3; quick: 1)")
    parser.add_argument("--out", type=pathlib.Path, help="folder for the JSON (.build/benchmarks)")
    parser.add_argument("--programs", type=pathlib.Path, required=True, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    arguments.programs = arguments.programs.absolute()
    arguments.rounds = arguments.rounds or (2 if arguments.quick else 3)
    arguments.seconds = arguments.seconds or (1 if arguments.quick else 3)
    arguments.sizes = [int(size) for size in arguments.sizes.split(",")] if arguments.sizes else SIZES
    arguments.out = arguments.out or pathlib.Path(".build/benchmarks")
    arguments.out.mkdir(parents=True, exist_ok=True)
    return arguments


class Workshop:
    """Certificates and compiled peers, in a folder of their own."""

    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        self.certificate, self.key = self.folder / "certificate.pem", self.folder / "key.pem"

    def prepare(self):
        command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
        command += ["-days", "2", "-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1,DNS:localhost"]
        command += ["-keyout", self.key, "-out", self.certificate]
        subprocess.run(command, check=True, capture_output=True)
        for source in (SERVERS / "gorilla_echo.go", CLIENTS / "gorilla_client.go"):
            environment = os.environ | GO | {"GOCACHE": str(self.folder / "gocache")}
            self.compile(["go", "build", "-o", self.folder / source.stem, source], environment)
        for source in (SERVERS / "libwebsockets_echo.c", CLIENTS / "libwebsockets_client.c"):
            self.compile(["cc", "-O2", "-o", self.folder / source.stem, source, "-lwebsockets"])

    def compile(self, command, environment=None):
        try:
            done = subprocess.run(command, env=environment, capture_output=True, text=True)
            if done.returncode != 0:
                say(f"websocket: {command[0]}: {done.stderr.strip()}")
        except OSError as error:
            say(f"websocket: {command[0]}: {error.strerror}")

    def servers(self, programs):
        """Name -> (command, environment); behind the command come the port, and for TLS certificate and key."""
        python = str(peers.PYTHON.absolute())
        return {
            "culvert": ([str(programs / "benchmarks"), "echo-server", "--on-event-loop"], {}),
            "culvert, default": ([str(programs / "benchmarks"), "echo-server"], {}),
            "websockets": ([python, str(SERVERS / "websockets_echo.py")], {}),
            "ws": (["node", str(SERVERS / "node_ws_echo.js")], NODE),
            "gorilla": ([str(self.folder / "gorilla_echo")], {}),
            "libwebsockets": ([str(self.folder / "libwebsockets_echo")], {}),
        }

    def clients(self, programs):
        """Name -> a function of URL, connections, bytes and seconds that gives the command, and the environment."""
        python = str(peers.PYTHON.absolute())

        def ours(*options):
            def command(url, connections, size, seconds):
                load = [url, "--connections", connections, "--bytes", size, "--seconds", seconds]
                return [programs / "benchmarks", "echo-client", *load, "--ca", self.certificate, *options]

            return command

        def theirs(*command):
            return lambda *load: [*command, *load, self.certificate]

        return {
            "culvert": (ours("--on-event-loop"), {}),
            "culvert, default": (ours(), {}),
            "websockets": (theirs(python, CLIENTS / "websockets_client.py"), {}),
            "ws": (theirs("node", CLIENTS / "ws_client.js"), NODE),
            "gorilla": (theirs(self.folder / "gorilla_client"), {}),
            "libwebsockets": (theirs(self.folder / "libwebsockets_client"), {}),
        }

    def server(self, name, programs, scheme):
        command, environment = self.servers(programs)[name]
        arguments = ["{port}"] if scheme == "ws" else ["{port}", str(self.certificate), str(self.key)]
        return Peer(name, command + arguments, environment=environment, as_nobody=False)


class Comparison:
    def __init__(self, arguments, workshop):
        self.arguments = arguments
        self.workshop = workshop
        # (role, scheme, bytes, name) -> figures, one a round.
        self.figures = {}
        self.failures = {}

    def run(self):
        parts = {"server": self.measure_server, "client": self.measure_client, "idle": self.measure_idle}
        for turn in range(self.arguments.rounds):
            for role, measure in parts.items():
                if self.arguments.role not in (None, role):
                    continue
                for scheme in ("ws", "wss") if role != "idle" else ("ws",):
                    for name in self.names(role):
                        say(f"websocket: round {turn + 1} of {self.arguments.rounds}, {role} {name}, {scheme}")
                        self.attempt(measure, role, scheme, name)

    def names(self, role):
        names = list(self.workshop.clients(self.arguments.programs) if role == "client" else
                     self.workshop.servers(self.arguments.programs))
        if not self.arguments.only:
            return names
        return [name for name in names if any(name.startswith(word) for word in self.arguments.only.split(","))]

    def attempt(self, measure, role, scheme, name):
        try:
            measure(scheme, name)
        except (OSError, RuntimeError, subprocess.SubprocessError) as error:
            self.failures[(role, scheme, name)] = str(error)

    def remember(self, role, scheme, size, name, figure):
        self.figures.setdefault((role, scheme, size, name), []).append(figure)

    def measure_server(self, scheme, name):
        with peers.Running(self.workshop.server(name, self.arguments.programs, scheme)) as running:
            for size in self.arguments.sizes:
                if scheme == "ws":
                    result = self.load("messages", running, "--bytes", size, "--tunnels", CONNECTIONS)
                    figure = rate(result["work"], result["cpuSeconds"])
                else:
                    # The generator speaks no TLS. Who speaks it for it is the same for every server.
                    figure = self.run_client("gorilla", scheme, running.port, size, running.process.pid)
                self.remember("server", scheme, size, name, figure)

    def measure_client(self, scheme, name):
        with peers.Running(self.workshop.server("gorilla", self.arguments.programs, scheme)) as running:
            for size in self.arguments.sizes:
                self.remember("client", scheme, size, name, self.run_client(name, scheme, running.port, size))

    def measure_idle(self, scheme, name):
        with peers.Running(self.workshop.server(name, self.arguments.programs, scheme)) as running:
            result = self.load("idle", running, "--bytes", 32, "--tunnels", IDLE)
            self.remember("idle", scheme, IDLE, name, result["bytesPerTunnel"])

    def load(self, kind, running, *arguments):
        command = [self.arguments.programs / "benchmarks", "load", kind, "--json", "--websocket", running.port]
        command += ["--seconds", self.arguments.seconds, "--watch", running.process.pid, *arguments]
        done = subprocess.run(list(map(str, command)), capture_output=True, text=True, timeout=240)
        if done.returncode != 0:
            raise RuntimeError(last_line(done.stderr))
        return json.loads(done.stdout)

    def run_client(self, name, scheme, port, size, watched=None):
        """Rounds for each second of the client's processor time, or of the watched process'."""
        make, environment = self.workshop.clients(self.arguments.programs)[name]
        command = make(f"{scheme}://127.0.0.1:{port}/", CONNECTIONS, size, self.arguments.seconds)
        process = subprocess.Popen(
            list(map(str, command)), env=os.environ | environment, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )
        try:
            if process.stdout.readline().strip() != "start":
                process.wait(60)
                raise RuntimeError(last_line(process.stderr.read()))
            before = cpu_seconds(watched or process.pid)
            words = process.stdout.readline().split()
            spent = cpu_seconds(watched or process.pid) - before
            if len(words) != 3 or words[0] != "stop" or int(words[1]) == 0:
                process.wait(60)
                raise RuntimeError(last_line(process.stderr.read()))
            return rate(int(words[1]), spent)
        finally:
            process.kill()
            process.communicate()

    def median(self, *key):
        values = self.figures.get(key)
        return statistics.median(values) if values else None


def cpu_seconds(process):
    fields = pathlib.Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def rate(rounds, seconds):
    if seconds <= 0:
        raise RuntimeError("it got no processor time: a busy machine, or too short a measurement (--seconds)")
    return rounds / seconds


def last_line(text):
    lines = text.strip().splitlines()
    return lines[-1].removeprefix("Error: ") if lines else "no word why"


def table(comparison, role):
    names = comparison.names(role)
    others = [name for name in names if not name.startswith("culvert")]
    heads = [f"as {role}"] + names + [f"culvert ÷ {name}" for name in others]
    lines = ["| " + " | ".join(heads) + " |", "|---|" + "---:|" * (len(heads) - 1)]
    for scheme in ("ws", "wss"):
        for size in [IDLE] if role == "idle" else comparison.arguments.sizes:
            figures = {name: comparison.median(role, scheme, size, name) for name in names}
            if not any(figures.values()):
                continue
            title = f"{size} connections, bytes each" if role == "idle" else f"{scheme}, {size} bytes"
            cells = [title] + [f"{value:,.0f}" if value else "–" for value in figures.values()]
            ours = figures.get("culvert")
            cells += [f"{ours / figures[name]:.2f}" if ours and figures[name] else "–" for name in others]
            lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def main():
    arguments = parse_arguments()
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="culvert-websocket-") as folder:
        workshop = Workshop(folder)
        workshop.prepare()
        comparison = Comparison(arguments, workshop)
        comparison.run()
    print(f"Echoes for each second of processor time, {CONNECTIONS} connections; more is better. Idle: less is.\n")
    for role in ("server", "client", "idle"):
        if arguments.role in (None, role):
            print(table(comparison, role) + "\n")
    for (role, scheme, name), reason in comparison.failures.items():
        print(f"- {role}, {scheme}, {name}: {reason}")
    document = {
        "machine": peers.machine(),
        "seconds": arguments.seconds,
        "connections": CONNECTIONS,
        "results": [
            {"role": role, "scheme": scheme, "size": size, "library": name, "rounds": values}
            for (role, scheme, size, name), values in comparison.figures.items()
        ],
    }
    path = arguments.out / "websocket.json"
    path.write_text(json.dumps(document, indent=1) + "\n")
    say(f"websocket: wrote {path}; {time.monotonic() - began:.0f} s")
    sys.exit(1 if any(name.startswith("culvert") for _, _, name in comparison.failures) or not comparison.figures else 0)


main()
