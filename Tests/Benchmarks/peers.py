"""The peers that are compared: how each is started, on which port, and stopped again."""

import os
import pathlib
import platform
import pwd
import resource
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

FILES = pathlib.Path(__file__).parent / "Peers"
PYTHON = pathlib.Path(".build/peers/venv/bin/python")
SQUID = ["squid", "-n", "culvert{port}", "-N"]
NGINX = ["nginx", "-c", "{dir}/nginx.conf", "-e", "{dir}/log"]
EVERY_NGINX = "nginx stream, a worker per core"


class Peer:
    """How to start a proxy or a server: its command, and the files written for it first.

    In both, `{port}` is where it listens, `{origin}` the origin's port, `{dir}` a folder of its own and `{tunnels}`
    how many tunnels the machine's limits let it hold.
    """

    def __init__(self, name, command, files=(), kind="proxy", environment=None, as_nobody=True, loads=None):
        self.name = name
        self.command = command
        self.files = files
        self.kind = kind
        self.environment = environment or {}
        self.as_nobody = as_nobody
        # The loads it is for; None is all.
        self.loads = loads

    def takes(self, load):
        return self.loads is None or load in self.loads

    def is_installed(self):
        return shutil.which(self.command[0]) is not None


def culvert(programs, name, arguments=(), threads=None, log="none", loads=None):
    arguments = list(arguments) + ([] if threads is None else ["--threads", str(threads)])
    command = [str(programs / "culvert"), "proxy", "--listen", "127.0.0.1:{port}", "--access-log", log]
    return Peer(name, command + arguments, as_nobody=False, loads=loads)


def logging(programs):
    """With a line for every request in a file, as operators run them."""
    log = "{dir}/access.log"
    arguments = ["--access-log-format", "squid"]
    return [
        culvert(programs, "culvert, access log", arguments, log=log, loads=["requests"]),
        Peer(
            "squid, access log", SQUID + ["-f", "{dir}/squid_log.conf"], ["squid.conf", "squid_log.conf"],
            loads=["requests"],
        ),
    ]


def culvert_engines(programs):
    """Culvert with each of its relay engines, and with one thread, as many as the others have."""
    return [
        culvert(programs, "culvert"),
        culvert(programs, "culvert, 1 thread", threads=1),
        culvert(programs, "culvert --relay copy", ["--relay", "copy"]),
    ]


def field():
    """Everybody else, without an access log, and with one worker where it has workers and its name does not tell."""
    server = ["runroot.yaml", "storage.config", "records.config", "ip_allow.yaml"]
    return [
        Peer("squid", SQUID + ["-f", "{dir}/squid.conf"], ["squid.conf"]),
        Peer("nginx stream", NGINX, ["nginx.conf"], "forwarder"),
        # As many as Culvert has threads: how long a byte waits depends on who else wants the cores.
        Peer(
            EVERY_NGINX,
            NGINX + ["-g", f"worker_processes {os.cpu_count()};"],
            ["nginx.conf"],
            "forwarder",
            loads=["round-trip"],
        ),
        Peer("tinyproxy", ["tinyproxy", "-d", "-c", "{dir}/tinyproxy.conf"], ["tinyproxy.conf"]),
        Peer(
            "Traffic Server",
            ["traffic_server"],
            [f"trafficserver/{name}" for name in server],
            environment={"TS_RUNROOT": "{dir}/runroot.yaml"},
        ),
        Peer(
            "Envoy",
            [str(PYTHON.absolute()), "-m", "envoy._main", "-c", "{dir}/envoy.yaml", "--concurrency", "1"]
            + ["--disable-hot-restart", "-l", "error"],
            ["envoy.yaml"],
            # The virtual environment may be out of nobody's reach.
            as_nobody=False,
        ),
        Peer("HAProxy tcp", ["haproxy", "-db", "-f", "{dir}/haproxy.cfg"], ["haproxy.cfg"], "forwarder"),
        Peer(
            "HAProxy tcp, splice",
            ["haproxy", "-db", "-f", "{dir}/haproxy_splice.cfg"],
            ["haproxy_splice.cfg"],
            "forwarder",
        ),
    ]


def most_tunnels():
    """Each takes two descriptors in the proxy, and two in the load generator."""
    return (resource.getrlimit(resource.RLIMIT_NOFILE)[0] - 200) // 2


def free_port():
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Running:
    """A peer that runs, for as long as the `with` block lasts. Others' run as nobody when we are root."""

    def __init__(self, peer, origin=None):
        self.peer = peer
        self.port = free_port()
        self.origin = origin

    def __enter__(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="culvert-compare-"))
        words = {"{port}": self.port, "{origin}": self.origin, "{dir}": self.folder, "{tunnels}": most_tunnels()}
        for file in self.peer.files:
            target = self.folder / pathlib.Path(file).name
            target.write_text(replace((FILES / file).read_text(), words))
        identity = None
        if os.getuid() == 0 and self.peer.as_nobody:
            identity = pwd.getpwnam("nobody")
            for path in [self.folder, *self.folder.iterdir()]:
                os.chown(path, identity.pw_uid, identity.pw_gid)
        self.process = subprocess.Popen(
            [replace(word, words) for word in self.peer.command],
            env=os.environ | {key: replace(value, words) for key, value in self.peer.environment.items()},
            user=identity and identity.pw_uid,
            group=identity and identity.pw_gid,
            extra_groups=identity and [],
            cwd=self.folder,
            stdin=subprocess.DEVNULL,
            stdout=open(self.folder / "stdout", "wb"),
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            self.wait_until_it_listens()
        except Exception:
            self.__exit__()
            raise
        return self

    def wait_until_it_listens(self):
        end = time.monotonic() + 30
        while time.monotonic() < end:
            if self.process.poll() is not None:
                break
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    # Traffic Server reads its tables a moment after it listens.
                    time.sleep(1.5 if self.peer.name == "Traffic Server" else 0.2)
                    return
            time.sleep(0.05)
        said = (self.folder / "stdout").read_text(errors="replace").strip().splitlines()
        raise RuntimeError(f"did not start: {said[-1] if said else 'no word why'}")

    def __exit__(self, *_):
        # A session of its own, so the group is the peer and its workers, and nobody else.
        for number in (signal.SIGTERM, signal.SIGKILL):
            try:
                os.killpg(self.process.pid, number)
            except ProcessLookupError:
                break
            try:
                self.process.wait(5)
            except subprocess.TimeoutExpired:
                continue
        shutil.rmtree(self.folder, ignore_errors=True)


def say(text):
    print(text, file=sys.stderr, flush=True)


def machine():
    lines = pathlib.Path("/proc/cpuinfo").read_text().splitlines()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return {
        "system": platform.platform(),
        "processor": names[0] if names else platform.machine(),
        "cores": len(os.sched_getaffinity(0)),
    }


def replace(text, words):
    for word, value in words.items():
        text = text.replace(word, str(value))
    return text
