"""Who asks over HTTP: a body of the directory in force, by its token, and not too often at once."""

from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import datetime, tzinfo
from http import HTTPStatus
from typing import Protocol

from starlette.requests import Request

from services.routing.domain.rules import RulesInForce
from shared.runtime.http.credentials import Caller, Credentials, caller
from shared.runtime.http.problem import Problem, one

MOST_OF_A_BODY, MOST_OF_ALL = 16, 128
"""Requests under way at once."""
RETRY_SECONDS = 1


class RulesAway(Exception):
    """No directory, rulebook or calendar has arrived yet: nobody can tell who is a body."""


class Rules(Protocol):
    async def latest(self) -> RulesInForce | None:
        """The latest version of each; None while one of the three has none."""


class Seats:
    """How many requests may be under way: of one body, so that none takes all, and of all."""

    def __init__(self, of_a_body: int = MOST_OF_A_BODY, of_all: int = MOST_OF_ALL) -> None:
        self._of_a_body, self._of_all = of_a_body, of_all
        self._taken: Counter[str] = Counter()

    @contextmanager
    def taken(self, body: str) -> Iterator[None]:
        """Raises `Problem` 429 where the body has none left, 503 where nobody has."""
        if self._taken[body] >= self._of_a_body:
            raise _busy(HTTPStatus.TOO_MANY_REQUESTS, "too-many", "Too many requests at once")
        if self._taken.total() >= self._of_all:
            raise _busy(HTTPStatus.SERVICE_UNAVAILABLE, "busy", "Too many ask at once")
        self._taken[body] += 1
        try:
            yield
        finally:
            self._taken[body] -= 1


class Door:
    """The one way in: no handler knows who asks but from here."""

    def __init__(
        self,
        credentials: Credentials,
        rules: Rules,
        zone: tzinfo,
        now: Callable[[], datetime],
        seats: Seats | None = None,
    ) -> None:
        self._credentials, self._rules = credentials, rules
        self._zone, self._now = zone, now
        self._seats = seats or Seats()

    @asynccontextmanager
    async def opened(self, request: Request) -> AsyncIterator[Caller]:
        """The body that asks, or its person by a token of their own, while it is worked on.

        Raises `Problem` 401, 403, 429 or 503, all before the request's body is read, and
        `RulesAway`.
        """
        who = caller(request, self._credentials)
        with self._seats.taken(who.party):
            await self._in_the_directory(who.party)
            yield who

    async def _in_the_directory(self, body: str) -> None:
        """The outside desk is in no directory, and always there."""
        rules = await self._rules.latest()
        if rules is None:
            raise RulesAway
        on = self._now().astimezone(self._zone).date()
        directory = rules.directory
        if body != directory.outside_desk and directory.body(body, on) is None:
            raise Problem(
                HTTPStatus.FORBIDDEN,
                "not-a-body",
                "The directory in force has no such body today",
                problems=one(
                    "/authorization", "not-a-body", "Ask the operator to publish its entry anew."
                ),
            )


def not_this_person(person: str | None) -> Problem:
    """Over HTTP nobody says who they are but their token."""
    advice = (
        "Use a token that `langnghe body token BODY --person CODE` drew for the person."
        if person is None
        else "Say nobody but the person whose token this is."
    )
    return Problem(
        HTTPStatus.FORBIDDEN,
        "not-this-person",
        "This token is not that person's",
        problems=one("/data/person", "not-this-person", advice),
    )


def _busy(status: HTTPStatus, kind: str, title: str) -> Problem:
    return Problem(
        status,
        kind,
        title,
        detail="Nothing of this request is kept. Send it again when another one is answered.",
        headers={"Retry-After": str(RETRY_SECONDS)},
    )
