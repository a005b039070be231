# Runs a command on a terminal of its own, as a person would: each PROMPT is waited for, and its LINE typed then.
#
#     terminal.py '[["PROMPT", "LINE"], ...]' COMMAND...
#
# Standard output is one line of JSON: all that the terminal showed, and the command's exit status. The command's
# standard input is empty, and what it writes on standard output and error is shown on the terminal.

import json
import os
import pty
import select
import sys
import time

prompts, command = json.loads(sys.argv[1]), sys.argv[2:]
pid, terminal = pty.fork()
if pid == 0:
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.execvp(command[0], command)

shown, seen = "", 0
end = time.monotonic() + 60
while time.monotonic() < end:
    if prompts and (at := shown.find(prompts[0][0], seen)) >= 0:
        seen = at + len(prompts[0][0])
        os.write(terminal, (prompts.pop(0)[1] + "\n").encode())
    if not select.select([terminal], [], [], 0.5)[0]:
        continue
    try:
        data = os.read(terminal, 4096)
    except OSError:
        break
    if not data:
        break
    shown += data.decode(errors="replace")
else:
    os.kill(pid, 9)

status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
print(json.dumps({"shown": shown, "status": status}))
