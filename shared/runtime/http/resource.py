"""A path and its handlers; every refusal and every error leaves as problem details."""

from collections.abc import Awaitable, Callable, Mapping
from http import HTTPStatus

import structlog
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from shared.runtime.http.problem import Problem, not_found, store_away

Handler = Callable[[Request], Awaitable[Response]]

log = structlog.get_logger("http")


class Resource:
    """One path: its handlers by method. An ASGI application, so that no method passes it by.

    `away` are the errors that say only that something is away for now. No answer is stored by
    whoever passes it on, unless its handler says for how long.
    """

    def __init__(
        self, handlers: Mapping[str, Handler], away: tuple[type[Exception], ...] = ()
    ) -> None:
        self._handlers, self._away = handlers, away

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        response = await self._respond(Request(scope, receive))
        response.headers.setdefault("cache-control", "no-store")
        await response(scope, receive, send)

    async def _respond(self, request: Request) -> Response:
        try:
            return await self._handler(request)(request)
        except Problem as problem:
            return problem.response()
        except self._away as why:
            log.warning("nothing can be kept", reason=type(why).__name__)
            return store_away().response()
        except Exception as error:  # noqa: BLE001 - told to its sender; its text could quote the item
            log.error("a request failed", reason=type(error).__name__)  # noqa: TRY400 - see above
            return _FAILED.response()

    def _handler(self, request: Request) -> Handler:
        if not self._handlers:
            raise not_found()
        handler = self._handlers.get(request.method)
        if handler is None:
            raise Problem(
                HTTPStatus.METHOD_NOT_ALLOWED,
                "method-not-allowed",
                "This resource does not take that method.",
                headers={"Allow": ", ".join(sorted(self._handlers))},
            )
        return handler


_FAILED = Problem(
    HTTPStatus.INTERNAL_SERVER_ERROR,
    "failed",
    "Something went wrong here.",
    detail="Whether it is kept is not known. Send it again with the same id; that does no harm.",
)
