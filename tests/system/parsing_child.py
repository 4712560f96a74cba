"""Stands in for the child in which mails are parsed, under its limits: a subject is an order.

`python parsing_child.py CPU_SECONDS WALL_SECONDS MEMORY_BYTES`, as the pool calls it.
"""

import ctypes
import os
import resource
import signal
import sys
import time
from itertools import count

from services.intake.domain.mail import Mail, read_mail
from services.intake.parsing.child import serve

MEBIBYTE = 1024 * 1024
TOLD = (resource.RLIMIT_AS, resource.RLIMIT_CORE, resource.RLIMIT_FSIZE)


def spin():
    while True:
        pass


def ignore_its_clock():
    signal.signal(signal.SIGALRM, signal.SIG_IGN)
    time.sleep(60)


def close_its_output():
    os.close(1)
    time.sleep(60)


def say(said: bytes) -> None:
    os.write(1, len(said).to_bytes(4, "big") + said)
    time.sleep(60)


ORDERS = {
    "spin": spin,
    "sleep": lambda: time.sleep(60),
    "ignore its clock": ignore_its_clock,
    "eat": lambda: Mail(text="x" * 2**40),
    "eat slowly": lambda: [b"x" * MEBIBYTE * n for n in count()],
    "crash": lambda: os.kill(os.getpid(), signal.SIGSEGV),
    "follow a null pointer": lambda: ctypes.string_at(0),
    "leave": lambda: os._exit(0),
    "close its output": close_its_output,
    "tell": lambda: Mail(text=repr((dict(os.environ), [resource.getrlimit(i)[0] for i in TOLD]))),
    "open many": lambda: [os.dup(0) for _ in range(100)],
    "say too much": lambda: os.write(1, b"\xff\xff\xff\xff"),
}
mails = count()


def obey(raw: bytes) -> Mail:
    read = read_mail(raw)
    if next(mails) and read.subject == "crash if it is not the first":
        os.abort()
    if read.subject in ORDERS:
        done = ORDERS[read.subject]()
        return done if isinstance(done, Mail) else read
    if read.subject.startswith("say "):
        say(read.subject.removeprefix("say ").encode().decode("unicode_escape").encode())
    return read


if __name__ == "__main__":
    if sys.argv[1] == "0":
        sys.exit(1)
    serve(obey)
