"""How far each webhook is, and how well it is reached; kept beside what reporting keeps."""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Standing:
    """`number` is the running number of the report last taken up, `sequence` its place in REPORTS.

    `failing_since` is when the first failure came that no delivery followed yet, `failures` how
    many there were since then, and `reason` what the last one was: a status, or a kind of error.
    """

    number: int = 0
    sequence: int = 0
    delivered: datetime | None = None
    failing_since: datetime | None = None
    failures: int = 0
    reason: str = ""
    paused: datetime | None = None


class Standings(Protocol):
    async def of(self, code: str) -> Standing: ...

    async def numbered(self, code: str, sequence: int) -> int:
        """The running number of the report at this place: 1, 2, 3 …, the same when asked again."""

    async def delivered(self, code: str, at: datetime) -> None:
        """Ends what failures there were."""

    async def failed(self, code: str, at: datetime, reason: str) -> Standing:
        """Counts one more failure; answers how it stands now."""

    async def pause(self, code: str, at: datetime) -> None: ...

    async def resume(self, code: str) -> bool:
        """Failures count anew from now on; false if it was not paused."""

    async def forget(self, code: str) -> None: ...
