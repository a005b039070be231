"""Runs the original Autobahn TestSuite against our WebSocket client and server, and prints what it says.

    suite.py --bin DIRECTORY --suite VIRTUALENV --out DIRECTORY [--cases quick|full] [--jobs N] [RUN…]

Exit status 0 means that every case of every run ended as it should, and that none is missing.
"""

import argparse
import collections
import concurrent.futures
import json
import os
import pathlib
import queue
import re
import socket
import subprocess
import sys
import threading
import time

# What each run is: our role, TLS, and whether a CONNECT tunnel of `culvert proxy` lies between.
RUNS = {
    "client-ws": ("client", False, False),
    "client-wss": ("client", True, False),
    "client-tunnel": ("client", False, True),
    "server-ws": ("server", False, False),
    "server-wss": ("server", True, False),
}

# The cases of each process of the suite, the slow ones first. Twisted is the bottleneck, so several run beside
# each other.
BASIC = [["9.*"], ["1.*", "2.*", "3.*", "4.*", "5.*", "6.*", "7.*", "10.*"]]
FULL = [[f"{group}.{kind}.*"] for group, kinds in ((12, 5), (13, 7)) for kind in range(1, kinds + 1)] + BASIC
# Of the compression cases one small, one that fills a window and one in fragments of each kind.
QUICK = [
    [f"{group}.{kind}.{case}" for kind in range(1, kinds + 1) for case in (2, 6, 11)]
    for group, kinds in ((12, 5), (13, 7))
] + BASIC
CASES = {"full": (FULL, 517), "quick": (QUICK, 301 + 15 + 21)}

# Cases for which the suite knows no other result: it judges nothing where the RFC leaves the choice.
INFORMATIONAL = {"7.1.6", "7.13.1", "7.13.2"}

# 25 minutes: what the slowest group of cases takes on a busy machine, several times.
TIME_LIMIT = 25 * 60


class Failure(Exception):
    pass


class Process:
    """A process of ours that runs until the block ends."""

    def __init__(self, command, log):
        self.log = pathlib.Path(log)
        self.output = self.log.open("wb")
        self.command = [str(word) for word in command]
        self.process = subprocess.Popen(self.command, stdout=self.output, stderr=self.output)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.output.close()

    def port(self):
        """Waits for the line that tells it."""
        return int(self.wait_for(lambda: re.search(rb"listening on .*:(\d+)$", self.log.read_bytes(), re.M))[1])

    def wait_for_listener(self, port):
        self.wait_for(lambda: accepts(port))

    def wait_for(self, condition):
        for _ in range(600):
            if found := condition():
                return found
            if self.process.poll() is not None:
                break
            time.sleep(0.1)
        raise Failure(f"{self.command[0]} did not start: {self.log.read_text(errors='replace')[-500:]}")


def accepts(port):
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def run_to_end(command, log):
    with open(log, "wb") as output:
        try:
            status = subprocess.run(
                [str(word) for word in command], stdout=output, stderr=output, timeout=TIME_LIMIT
            ).returncode
        except subprocess.TimeoutExpired:
            raise Failure(f"no end within {TIME_LIMIT} s: {log}")
    if status != 0:
        raise Failure(f"status {status}: {pathlib.Path(log).read_text(errors='replace')[-500:]}")


class Suite:
    def __init__(self, options):
        self.bin = pathlib.Path(options.bin)
        self.wstest = [pathlib.Path(options.suite, "bin", "python"), pathlib.Path(options.suite, "bin", "wstest")]
        self.out = pathlib.Path(options.out)
        self.out.mkdir(parents=True, exist_ok=True)
        self.key, self.certificate = self.out / "key.pem", self.out / "certificate.pem"
        self.mint()

    def mint(self):
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost",
             "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1", "-keyout", self.key, "-out", self.certificate],
            check=True, capture_output=True)

    def specify(self, folder, spec):
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / "spec.json"
        path.write_text(json.dumps({"outdir": str(folder), "exclude-cases": [], "exclude-agent-cases": {}, **spec}))
        return path

    def test_client(self, folder, cases, tls, proxy):
        """Our client in the cases of a fuzzing server."""
        port = free_port()
        scheme = "wss" if tls else "ws"
        spec = {"url": f"{scheme}://127.0.0.1:{port}", "cases": cases}
        if tls:
            spec |= {"key": str(self.key), "cert": str(self.certificate)}
        command = self.wstest + ["-m", "fuzzingserver", "-u", "0", "-s", self.specify(folder, spec)]
        with Process(command, folder / "fuzzingserver.log") as server:
            server.wait_for_listener(port)
            options = ["--ca", self.certificate] if tls else []
            if proxy:
                options += ["--proxy", f"http://127.0.0.1:{proxy}"]
            run_to_end(
                [self.bin / "autobahn-client", f"{scheme}://127.0.0.1:{port}", *options], folder / "client.log")
        return self.verdicts(folder)

    def test_server(self, folder, cases, tls, port):
        """A fuzzing client in the cases against our server."""
        url = f"{'wss' if tls else 'ws'}://127.0.0.1:{port}"
        spec = {"servers": [{"agent": "culvert", "url": url, "options": {"version": 18}}], "cases": cases}
        run_to_end(
            self.wstest + ["-m", "fuzzingclient", "-s", self.specify(folder, spec)], folder / "fuzzingclient.log")
        return self.verdicts(folder)

    def verdicts(self, folder):
        try:
            return json.loads((folder / "index.json").read_text())["culvert"]
        except (OSError, KeyError, ValueError) as error:
            raise Failure(f"no report: {error!r}; see {folder}")


def run(suite, name, groups, jobs):
    """The verdicts of one run, by case."""
    role, tls, is_tunnelled = RUNS[name]
    folder = suite.out / name
    folder.mkdir(parents=True, exist_ok=True)
    if role == "server":
        options = ["--cert", suite.certificate, "--key", suite.key] if tls else []
        command = [suite.bin / "culvert", "ws", "--listen", "127.0.0.1:0", "--echo", "--compress", *options]
        with Process(command, folder / "culvert.log") as server:
            port = server.port()
            return merge(groups, jobs, lambda number, cases: suite.test_server(folder / number, cases, tls, port))
    if not is_tunnelled:
        return merge(groups, jobs, lambda number, cases: suite.test_client(folder / number, cases, tls, None))
    with Process([suite.bin / "culvert", "proxy", "--listen", "127.0.0.1:0"], folder / "proxy.log") as proxy:
        port = proxy.port()
        verdicts = merge(groups, jobs, lambda number, cases: suite.test_client(folder / number, cases, tls, port))
    tunnels = proxy.log.read_bytes().count(b'"method":"CONNECT"')
    if tunnels < len(verdicts):
        raise Failure(f"{len(verdicts)} cases, but {tunnels} tunnels")
    return verdicts


def merge(groups, jobs, test):
    verdicts = {}
    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        for part in pool.map(lambda item: test(str(item[0]), item[1]), enumerate(groups)):
            verdicts |= part
    return verdicts


def judge(name, verdicts, expected):
    """Prints the counts, and returns what is wrong."""
    counts = collections.Counter(verdict["behavior"] for verdict in verdicts.values())
    told = ", ".join(f"{counts.pop(kind, 0)} {kind}" for kind in ("OK", "NON-STRICT", "INFORMATIONAL", "FAILED"))
    told += "".join(f", {count} {kind}" for kind, count in sorted(counts.items()))
    print(f"autobahn {name}: {len(verdicts)} cases: {told}", flush=True)
    wrong = [] if len(verdicts) == expected else [f"{name}: {len(verdicts)} of {expected} cases ran"]
    for case, verdict in sorted(verdicts.items(), key=lambda item: [int(part) for part in item[0].split(".")]):
        passing = ("OK", "INFORMATIONAL") if case in INFORMATIONAL else ("OK",)
        if verdict["behavior"] not in passing or verdict["behaviorClose"] not in ("OK", "INFORMATIONAL"):
            wrong.append(f"{name}: case {case}: {verdict['behavior']}, close {verdict['behaviorClose']}")
    return wrong


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--bin", required=True)
    parser.add_argument("--suite", required=True)
    parser.add_argument("--out", required=True)
    parser.add_argument("--cases", choices=CASES, default="full")
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    parser.add_argument("runs", nargs="*", metavar="RUN", help=", ".join(RUNS))
    options = parser.parse_args()
    for name in options.runs:
        if name not in RUNS:
            parser.error(f"no run is called {name}: {', '.join(RUNS)}")
    suite = Suite(options)
    groups, expected = CASES[options.cases]
    wrong = []
    for name in options.runs or RUNS:
        start = time.monotonic()
        try:
            wrong += judge(name, run(suite, name, groups, options.jobs), expected)
        except Failure as error:
            wrong.append(f"{name}: {error}")
        print(f"autobahn {name}: {time.monotonic() - start:.0f} s", flush=True)
    for line in wrong:
        print(f"autobahn: {line}", file=sys.stderr)
    return 1 if wrong else 0


sys.exit(main())
