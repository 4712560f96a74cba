"""Refusals over HTTP as problem details (RFC 9457). None ever quotes what was sent.

None closes the connection before the body was read, however early it is sent: a sender that is
still writing would see its line break and never the answer.
"""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

import orjson
from starlette.responses import Response

from shared.contracts import Refused
from shared.contracts.ingress import FieldProblem

MEDIA_TYPE = "application/problem+json"
RETRY_SECONDS = 30


class Problem(Exception):
    """An answer that is no success. `kind` is the last segment of the problem's type."""

    def __init__(
        self,
        status: HTTPStatus,
        kind: str,
        title: str,
        *,
        detail: str = "",
        problems: tuple[FieldProblem, ...] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(kind)
        self.status, self.kind, self.title = status, kind, title
        self.detail, self.problems, self.headers = detail, problems, dict(headers or {})

    def content(self) -> dict[str, Any]:
        content: dict[str, Any] = {
            "type": f"/problems/{self.kind}",
            "title": self.title,
            "status": self.status.value,
        }
        if self.detail:
            content["detail"] = self.detail
        if self.problems:
            content["problems"] = [problem.model_dump() for problem in self.problems]
        return content

    def response(self) -> Response:
        return Response(
            orjson.dumps(self.content()),
            status_code=self.status.value,
            media_type=MEDIA_TYPE,
            headers=self.headers,
        )


def of_refusal(refused: Refused, statuses: Mapping[str, HTTPStatus]) -> Problem:
    """The refusal that was kept, told to its sender; 422 where `statuses` has no other."""
    return Problem(
        statuses.get(refused.type, HTTPStatus.UNPROCESSABLE_ENTITY),
        refused.type.removeprefix("/problems/"),
        refused.title,
        problems=refused.problems,
    )


def unreadable(problems: tuple[FieldProblem, ...]) -> Problem:
    return Problem(
        HTTPStatus.BAD_REQUEST,
        "unreadable",
        "The item cannot be taken as it was sent.",
        problems=problems,
    )


def one(field: str, rule: str, advice: str) -> tuple[FieldProblem, ...]:
    return (FieldProblem(field=field, rule=rule, advice=advice),)


def too_large(advice: str) -> Problem:
    return Problem(
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
        "too-large",
        "The request is larger than this entrance takes.",
        detail=advice,
    )


def unsupported(advice: str) -> Problem:
    return Problem(
        HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
        "unsupported-media-type",
        "This entrance does not take that content type.",
        detail=advice,
    )


def unauthorized(challenge: str | None = None) -> Problem:
    """One answer for none and for a wrong credential."""
    return Problem(
        HTTPStatus.UNAUTHORIZED,
        "unauthorized",
        "The credential is missing or not the right one.",
        headers={} if challenge is None else {"WWW-Authenticate": challenge},
    )


def not_found() -> Problem:
    return Problem(HTTPStatus.NOT_FOUND, "not-found", "There is nothing here.")


def store_away() -> Problem:
    return Problem(
        HTTPStatus.SERVICE_UNAVAILABLE,
        "later",
        "Nothing can be kept just now.",
        detail="Nothing of this request is kept. Send it again later; that does no harm.",
        headers={"Retry-After": str(RETRY_SECONDS)},
    )
