"""Data keys that seal nothing: a crash between drawing a key and keeping what it seals leaves one.

Nobody can tell a key that was forgotten from one whose message is being kept just now. So it is
only marked, and destroyed if it still seals nothing a day later.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

DOUBT = timedelta(days=1)
"""How long a key may seal nothing: far longer than anything takes to be kept."""
AT_ONCE = 1_000
FEWEST_TRUSTED = 10
"""For each key that is destroyed there are so many in all, or none is. A crash leaves few; many
mean that what they seal is away, e.g. while a backup is played back. Those that stay harm nobody.
"""


class NotSwept(Exception):
    """No key may be destroyed as things are."""


class UnknownUse(NotSwept):
    """Something is kept of which nobody said whether it names data keys."""


class TooManyDoubted(NotSwept):
    """More keys seal nothing than crashes could leave."""


@dataclass(frozen=True, slots=True)
class HeldKey:
    """A data key as it is held, without the key; `doubted` is when it first sealed nothing."""

    name: str
    owner: str
    doubted: datetime | None = None


class HeldKeys(Protocol):
    async def held(self, after: str, limit: int) -> Sequence[HeldKey]:
        """The next keys by name."""

    async def doubt(self, names: Sequence[str], at: datetime) -> None:
        """Mark those that are not marked yet."""

    async def trust(self, names: Sequence[str]) -> None:
        """Take the mark away."""

    async def destroy_doubted(self, names: Sequence[str], before: datetime) -> int:
        """Destroy those that were marked before then; answers how many."""


class KeyUses(Protocol):
    async def named(self, keys: Sequence[HeldKey]) -> frozenset[str]:
        """Those that what is kept names; raises `UnknownUse` where it cannot be told."""


def key_sweeper(keys: HeldKeys, uses: KeyUses) -> Callable[[datetime], Awaitable[int]]:
    async def sweep_keys(at: datetime) -> int:
        """Look at every key once; answers how many were destroyed. Raises `NotSwept`."""
        count, after = 0, ""
        due: list[str] = []
        while page := await keys.held(after, AT_ONCE):
            count, after = count + len(page), page[-1].name
            named = await uses.named(page)
            idle = [key for key in page if key.name not in named]
            await keys.trust([k.name for k in page if k.doubted and k.name in named])
            await keys.doubt([key.name for key in idle if not key.doubted], at)
            due += [key.name for key in idle if key.doubted and key.doubted < at - DOUBT]
        if len(due) * FEWEST_TRUSTED > count:
            raise TooManyDoubted(f"{len(due)} of {count}")
        return await keys.destroy_doubted(due, at - DOUBT)

    return sweep_keys
