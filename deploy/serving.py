"""One service as a process: `python -m deploy.serving intake|routing|reporting`.

It loads that service and nothing else: the command line, with everything that its commands need,
would take another 35 MB and as long again to start.
"""

import signal
import sys
from importlib import import_module
from types import FrameType

import uvicorn

from shared.runtime.settings import ServiceSettings


def serve(name: str) -> None:
    """Until SIGTERM; a stop in good order ends with exit code 0."""
    for ending in (signal.SIGTERM, signal.SIGINT):  # uvicorn raises it again once all is closed
        signal.signal(ending, _end)
    settings = ServiceSettings()
    uvicorn.run(
        import_module(f"services.{name}.app").create_app(),
        host=settings.http_host,
        port=settings.http_port,
        loop="uvloop",
        log_config=None,
        access_log=False,
        timeout_graceful_shutdown=10,
    )


def _end(_number: int, _frame: FrameType | None) -> None:
    raise SystemExit(0)


if __name__ == "__main__":
    serve(sys.argv[1])
