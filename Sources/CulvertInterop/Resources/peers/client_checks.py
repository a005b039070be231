"""What the Python clients share: the messages, and a report of one line for each check."""

import contextlib

TEXT = "Grüße, 世界 👋"
BINARY = bytes(range(256))
LONG_TEXT = "culvert " * 8192
FRAGMENTS = ["one, ", "two, ", "three"]


def pattern(size):
    """`size` bytes that neither repeat soon nor compress well."""
    block = bytes((i * i + (i >> 8)) & 0xFF for i in range(65536))
    return (block * (size // len(block) + 1))[:size]


@contextlib.contextmanager
def check(name):
    """Prints `pass NAME`, or `fail NAME reason` when the body raises; the next check runs either way."""
    try:
        yield
    except Exception as error:
        reason = " ".join(str(error).split()) or type(error).__name__
        print(f"fail {name} {type(error).__name__}: {reason}"[:300], flush=True)
    else:
        print(f"pass {name}", flush=True)


def same(received, sent):
    if received != sent:
        raise ValueError(f"sent {len(sent)}, received {describe(received)}")


def describe(message):
    if isinstance(message, (str, bytes)):
        return f"{type(message).__name__} of {len(message)}"
    return repr(message)
