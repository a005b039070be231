"""Runs a command for as long as standard input stays open, and never longer.

    leash.py [--unprivileged] PID_FILE COMMAND [ARGUMENT ...]

The tests hold the other end of standard input: when they end, however they end, the command is told to stop
(SIGTERM to its process group), then made to. `--unprivileged` gives up root for `nobody` first; without root
it changes nothing. The command's pid is written to PID_FILE before the command starts.
"""

import os
import pwd
import select
import shutil
import signal
import sys

GRACE_SECONDS = 3


def main():
    arguments = sys.argv[1:]
    unprivileged = arguments[0] == "--unprivileged"
    if unprivileged:
        arguments.pop(0)
    pid_file, command = arguments[0], arguments[1:]

    # Looked up before the rights are given up: this Python's own files may be out of nobody's reach.
    program = shutil.which(command[0]) or command[0]

    wake_read, wake_write = os.pipe()
    os.set_blocking(wake_write, False)
    signal.set_wakeup_fd(wake_write)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.signal(signal.SIGTERM, lambda *_: None)

    go_read, go_write = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(go_write)
        os.setpgid(0, 0)
        signal.set_wakeup_fd(-1)
        for number in (signal.SIGCHLD, signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGPIPE):
            signal.signal(number, signal.SIG_DFL)
        os.read(go_read, 1)
        null = os.open(os.devnull, os.O_RDONLY)
        os.dup2(null, 0)
        os.closerange(3, os.sysconf("SC_OPEN_MAX"))
        if unprivileged and os.getuid() == 0:
            nobody = pwd.getpwnam("nobody")
            os.setgroups([])
            os.setgid(nobody.pw_gid)
            os.setuid(nobody.pw_uid)
        try:
            os.execv(program, command)
        except OSError as error:
            print(f"leash: {command[0]}: {error.strerror}", file=sys.stderr, flush=True)
            os._exit(127)

    os.close(go_read)
    with open(pid_file, "w") as file:
        file.write(str(child))
    os.close(go_write)
    # The command holds these open now; a reader must see their end when the command is gone, not the leash.
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, 1)

    watched = [0, wake_read]
    stopping = False
    while True:
        timeout = GRACE_SECONDS if stopping else None
        ready, _, _ = select.select(watched, [], [], timeout)
        if not ready:
            kill_group(child, signal.SIGKILL)
            stopping = False
            continue
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            kill_group(child, signal.SIGKILL)
            code = os.waitstatus_to_exitcode(status)
            sys.exit(code if code >= 0 else 128 - code)
        for source in ready:
            data = os.read(source, 4096)
            ended = source == 0 and not data
            told = source == wake_read and signal.SIGTERM in data
            if ended:
                watched.remove(0)
            if ended or told:
                kill_group(child, signal.SIGTERM)
                stopping = True


def kill_group(child, number):
    try:
        os.killpg(child, number)
    except (ProcessLookupError, PermissionError):
        pass


main()
