"""Runs a program of another virtual environment that lies beside the one of this Python.

    sibling.py ENVIRONMENT PROGRAM [ARGUMENT ...]

For packages whose pins would hold the other peers back.
"""

import os
import sys

environment, program, *arguments = sys.argv[1:]
path = os.path.join(os.path.dirname(sys.prefix), environment, "bin", program)
if not os.access(path, os.X_OK):
    sys.exit(f"{program} is not installed")
os.execv(path, [program, *arguments])
