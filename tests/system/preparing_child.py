"""`python -m tests.system.preparing_child SERVICE STEPS`: what a service does to its stores first.

Killed before it asks for one index more than `STEPS`.
"""

import asyncio
import os
import signal
import sys
from importlib import import_module
from itertools import count

from motor.motor_asyncio import AsyncIOMotorCollection


class Captured:
    """Stands for the service's life, of which only this is wanted."""

    prepare = None

    def __init__(self, _bus, _client, prepare, **_more) -> None:
        Captured.prepare = prepare

    def application(self, _routes=()) -> None:
        return None


def dies_after(steps: int) -> None:
    begun = count(1)

    def counted(name: str) -> None:
        plain = getattr(AsyncIOMotorCollection, name)

        def ask(self, *arguments, **more):
            if next(begun) > steps:
                os.kill(os.getpid(), signal.SIGKILL)
            return plain(self, *arguments, **more)

        setattr(AsyncIOMotorCollection, name, ask)

    counted("create_index")
    counted("create_indexes")


async def main(service: str, steps: int) -> None:
    app = import_module(f"services.{service}.app")
    app.Service = Captured
    app.create_app()
    dies_after(steps)
    await Captured.prepare()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], int(sys.argv[2])))
