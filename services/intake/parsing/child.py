"""The process that parses mails: it takes them on standard input, one by one, and answers each.

A frame is four bytes of length, most significant first, and as many bytes: a mail on the way in,
a `Mail` as JSON on the way out. An empty frame says that the child is ready. It ends with its
input, and so with its parent.
"""

import os
import resource
import signal
import sys
from collections.abc import Callable

import orjson

from services.intake.domain.mail import Mail, read_mail

LENGTH_BYTES = 4
OUT_OF_MEMORY = 77
"""Exit code. Who has run out of memory has no state to trust."""

_LIMITS = (
    (resource.RLIMIT_CORE, 0),  # a core holds the mail
    (resource.RLIMIT_NOFILE, 16),  # codecs are loaded from files when a mail names them
    (resource.RLIMIT_FSIZE, 0),
    (resource.RLIMIT_NPROC, 0),
)


def serve(read: Callable[[bytes], Mail] = read_mail) -> None:
    """Answer until the input ends; limits are taken from the command line before the first mail.

    Arguments: seconds of CPU and of time for each mail, bytes of address space for all, which
    bounds what is resident, the interpreter with it.
    """
    cpu, wall, memory = int(sys.argv[1]), float(sys.argv[2]), int(sys.argv[3])
    for ending in (signal.SIGINT, signal.SIGTERM):  # meant for the parent: it must not lose a mail
        signal.signal(ending, signal.SIG_IGN)
    for limit, most in (*_LIMITS, (resource.RLIMIT_AS, memory)):
        resource.setrlimit(limit, (most, most))
    _answer(b"")
    while (raw := _next()) is not None:
        used = resource.getrusage(resource.RUSAGE_SELF)
        spent = int(used.ru_utime + used.ru_stime) + 1
        resource.setrlimit(resource.RLIMIT_CPU, (spent + cpu, resource.RLIM_INFINITY))
        signal.setitimer(signal.ITIMER_REAL, wall)  # its signal is left to end the process
        try:
            answer = orjson.dumps(read(raw))
        except MemoryError:
            os._exit(OUT_OF_MEMORY)
        signal.setitimer(signal.ITIMER_REAL, 0)
        del raw
        _answer(answer)


def _next() -> bytes | None:
    header = sys.stdin.buffer.read(LENGTH_BYTES)
    length = int.from_bytes(header, "big")
    raw = sys.stdin.buffer.read(length)
    return raw if len(header) == LENGTH_BYTES and len(raw) == length else None


def _answer(content: bytes) -> None:
    sys.stdout.buffer.write(len(content).to_bytes(LENGTH_BYTES, "big") + content)
    sys.stdout.buffer.flush()


if __name__ == "__main__":
    serve()
