"""`python -m shared.runtime.alive`: exit 0 if the service in this container lives."""

import os
import sys
import urllib.request
from http import HTTPStatus

SECONDS = 2


def main() -> int:
    """Asked of our own port; whatever proxy the environment names, it is not for us."""
    port = os.environ.get("LANGNGHE_HTTP_PORT", "8080")
    directly = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with directly.open(f"http://127.0.0.1:{port}/livez", timeout=SECONDS) as answer:
            return 0 if answer.status == HTTPStatus.OK else 1
    except OSError as error:
        sys.stderr.write(f"no answer on port {port} ({type(error).__name__})\n")
        return 1


if __name__ == "__main__":
    sys.exit(main())
