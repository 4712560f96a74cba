"""Suggests that submissions are on one matter, in other words or by another sender.

Off the way in: a suggestion may come later, a submission may not. Nothing is ever merged by it.
"""

from collections import Counter, defaultdict
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import blake2b
from typing import Protocol

from services.intake.domain import related
from services.intake.handlers.joining import related_event
from services.intake.handlers.ports import KeptRecord, Records
from shared.contracts import SubmissionRelated
from shared.contracts.envelope import AnyEvent
from shared.contracts.submission import Link

BATCH = 250
MOST_OF_A_BAND, MOST_SCORED = 10, 10
"""Of earlier submissions that are looked at: what many send alike stays cheap."""
MOST_ALIKE = 3
"""Earlier submissions that are named as alike, the most alike first."""

SIGN = 1 << 63
"""Eight bytes are signed in the store."""

Signature = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Unplaced:
    """A submission that was not compared yet; only texts about one `unit` are compared."""

    event: AnyEvent
    unit: str
    signature: Signature

    def bands(self) -> tuple[int, ...]:
        """Keys of the text among those about its unit: what an index holds in eight bytes each."""
        unit = int.from_bytes(blake2b(self.unit.encode(), digest_size=8).digest())
        return tuple((int(band, 16) ^ unit) - SIGN for band in related.bands(self.signature))


class Matters(Protocol):
    async def unplaced(self, limit: int) -> Sequence[Unplaced]:
        """Those that were not compared yet, the oldest first."""

    async def near(self, bands: Sequence[int]) -> Sequence[tuple[str, Sequence[int], Signature]]:
        """Some placed submissions that share a band, with bands and signatures; bounded."""

    async def place(self, bands: Sequence[tuple[str, Sequence[int]]]) -> None:
        """From now on these submissions are found by their bands."""


def relater(matters: Matters, relations: Records) -> Callable[[datetime], Awaitable[int]]:
    async def relate(at: datetime) -> int:
        """Compare what was not compared yet; answers how much was found alike."""
        found = 0
        while unplaced := await matters.unplaced(BATCH):
            bands = {one.event.subject or "": one.bands() for one in unplaced}
            near = _Near()
            for submission, its_bands, signature in await matters.near(
                [band for each in bands.values() for band in each]
            ):
                near.add(submission, its_bands, signature)
            suggestions: list[AnyEvent] = []
            for one in unplaced:
                submission = one.event.subject or ""
                suggestions += near.alike(one, bands[submission])
                near.add(submission, bands[submission], one.signature)
            await relations.add_once(
                [KeptRecord(e.id, f"relate:{at.isoformat()}", e) for e in suggestions],
                unannounced=True,
            )
            await matters.place(list(bands.items()))
            found += len(suggestions)
        return found

    return relate


class _Near:
    """Earlier submissions by the bands that they have, few for each band."""

    def __init__(self) -> None:
        self._by_band: dict[int, list[str]] = defaultdict(list)
        self._signatures: dict[str, Signature] = {}

    def add(self, submission: str, bands: Sequence[int], signature: Signature) -> None:
        self._signatures[submission] = signature
        for band in bands:
            if len(self._by_band[band]) < MOST_OF_A_BAND:
                self._by_band[band].append(submission)

    def alike(self, one: Unplaced, bands: Sequence[int]) -> Iterator[AnyEvent]:
        """Those whose words are like this one's, the most alike first."""
        sharing = Counter(s for band in bands for s in self._by_band.get(band, ()))
        sharing.pop(one.event.subject or "", None)
        scores = {
            submission: related.score(one.signature, self._signatures[submission])
            for submission, _ in sharing.most_common(MOST_SCORED)
        }
        best = sorted(scores.items(), key=lambda found: (-found[1], found[0]))
        for submission, score in best[:MOST_ALIKE]:
            if score >= related.RELATED:
                data = SubmissionRelated(earlier=submission, link=Link.SAME_MATTER, score=score)
                yield related_event(one.event, data)
