"""The one way from what an entrance read to what it may answer."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import blake2b
from http import HTTPStatus
from typing import Any

from starlette.responses import JSONResponse

from services.intake.handlers.ports import Accept, ArrivalFate
from shared.contracts.ingress import Fate, FieldProblem
from shared.runtime.arrival import Arrival
from shared.runtime.http.problem import Problem, of_refusal, unreadable

KnowsAgency = Callable[[str], Awaitable[bool]]
"""Does the directory in force have this agency? Raises `StoreAway` while nobody can tell."""

STATUS_OF_REFUSAL: Mapping[str, HTTPStatus] = {
    "/problems/foreign-source": HTTPStatus.FORBIDDEN,
    "/problems/unknown-agency": HTTPStatus.FORBIDDEN,
}


@dataclass(frozen=True, slots=True)
class Item:
    """One item as an entrance read it.

    `problems` are what the entrance itself found wrong. Such an item has no type: handed on, it is
    refused, kept sealed and counted like any other, and its sender told these.
    """

    type: str
    body: bytes
    problems: tuple[FieldProblem, ...] = ()


@dataclass(frozen=True, slots=True)
class Receipt:
    """What may be said of an item that is kept, now or since before.

    An automatic reply is kept and is of no submission.
    """

    submission: str | None
    fate: Fate

    @property
    def location(self) -> str:
        return f"/v1/submissions/{self.submission}"

    def content(self) -> dict[str, str]:
        if self.submission is None:
            return {"fate": self.fate}
        return {"submission": self.submission, "fate": self.fate, "status": self.location}

    def response(self, more: Mapping[str, Any] | None = None) -> JSONResponse:
        return JSONResponse(
            self.content() | dict(more or {}),
            status_code=HTTPStatus.ACCEPTED.value,
            headers={"Location": self.location} if self.submission else {},
        )


class Door:
    """Hands items on to `accept`; every answer is made from what it returned.

    `key` makes ids and names keyed hashes: they travel where the text does not, and without it
    anyone could ask whether a guessed text or number is behind one. It never changes.
    """

    def __init__(self, accept: Accept, now: Callable[[], datetime], key: bytes) -> None:
        self._accept, self.now, self._key = accept, now, key

    async def keep(
        self, entrance: str, party: str, items: Sequence[Item], recorded: datetime
    ) -> list[Receipt | Problem]:
        """Keep each item or its refusal; answers in order. Raises `StoreAway`."""
        arrivals = [
            Arrival(
                entrance=entrance,
                party=party,
                type=item.type,
                body=item.body,
                sequence=0,
                recorded=recorded,
                name=self.name(entrance, party, recorded.isoformat(), str(place), item.body),
            )
            for place, item in enumerate(items)
        ]
        if not arrivals:
            return []
        fates = await self._accept(arrivals)
        return [_answer(item, fate) for item, fate in zip(items, fates, strict=True)]

    def name(self, *parts: str | bytes) -> str:
        """A keyed hash of the parts, each with its length before it: the same each time."""
        digest = blake2b(key=self._key, digest_size=16)
        for part in parts:
            content = part.encode("utf-8", "surrogatepass") if isinstance(part, str) else part
            digest.update(len(content).to_bytes(8, "big"))
            digest.update(content)
        return digest.hexdigest()


def _answer(item: Item, fate: ArrivalFate) -> Receipt | Problem:
    if fate.fate is not Fate.REFUSED:
        return Receipt(fate.subject, fate.fate)
    if item.problems:
        return unreadable(item.problems)
    if fate.refusal is None:
        raise TypeError("a fate has neither a submission nor a refusal")
    return of_refusal(fate.refusal, STATUS_OF_REFUSAL)
