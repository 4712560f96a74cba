"""One service as a process: `python -m deploy.serving intake|routing|reporting`.

It loads that service and nothing else: the command line, with everything that its commands need,
would take another 35 MB and as long again to start.
"""

import signal
import sys
from importlib import import_module
from types import FrameType

import uvicorn
from pydantic import ValidationError
from pydantic_settings import SettingsError

from shared.runtime.settings import ServiceSettings


def serve(name: str) -> None:
    """Until SIGTERM; a stop in good order ends with exit code 0."""
    for ending in (signal.SIGTERM, signal.SIGINT):  # uvicorn raises it again once all is closed
        signal.signal(ending, _end)
    try:
        settings = ServiceSettings()
        application = import_module(f"services.{name}.app").create_app()
    except (ValidationError, SettingsError, OSError) as error:
        # Loaded only now: it knows the settings of all three.
        sentences = import_module("deploy.settings").sentences(name, error)
        sys.stderr.write("\n".join((*sentences, "")))
        raise SystemExit(2) from None
    uvicorn.run(
        application,
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
