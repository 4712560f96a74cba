"""Keeps the chain: every message of the log becomes a leaf, every day ends with a checkpoint.

A link is the leaves that one reading added. It is kept under the size that the chain had before,
so that keeping it *is* the decision: of two replicas one wins, the other goes on from there, and
a crash at any point leaves a chain that is whole.
"""

import asyncio
from base64 import b64encode
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo
from itertools import count, takewhile
from typing import Protocol

import structlog

from services.reporting.domain.chain import Frontier, Logged, Signer, leaf_of
from shared.contracts import AuditCheckpoint
from shared.contracts.audit import CheckpointTold
from shared.contracts.envelope import AnyEvent, Event, derived_id
from shared.runtime.bus import Answerer

SOURCE = "/services/reporting"
OPERATOR = "operator"
BATCH = 500
POLL_SECONDS = 1.0

log = structlog.get_logger("chain")


class Broken(Exception):
    """The log is not the one that was chained; the text names the first place that shows it."""


@dataclass(frozen=True, slots=True)
class Head:
    """The first `size` messages of the log have this root, in base64."""

    size: int
    root: str


@dataclass(frozen=True, slots=True)
class Link:
    """Leaves that follow on a chain of size `start`, and what the chain is with them."""

    start: int
    leaves: tuple[bytes, ...]
    after: Frontier


class Log(Protocol):
    async def read(self, start: int, most: int) -> Sequence[Logged]:
        """Messages from sequence `start` on, in order."""


class Links(Protocol):
    async def last(self) -> Link | None: ...

    async def add_once(self, link: Link) -> bool:
        """Keep it unless another one follows on the same place; false if one does."""

    async def copied(self) -> int:
        """Up to which sequence the messages themselves are kept, from the first on."""

    async def copy(self, messages: Sequence[Logged]) -> None:
        """Keep the messages themselves, which follow on those; again is harmless."""


class Checkpoints(Protocol):
    async def add_once(self, key: str, event: Event[AuditCheckpoint]) -> Event[AuditCheckpoint]:
        """Keep it under `key` unless one is there; answer the one that stands."""

    async def waiting(self) -> Sequence[Event[AuditCheckpoint]]:
        """Those that were kept and not yet announced, oldest first."""

    async def announced(self, events: Sequence[Event[AuditCheckpoint]]) -> None: ...


class Chain:
    """`passing` are the errors that say only that the log or the store is away.

    Several replicas may run it. `zone` is where days end.
    """

    def __init__(
        self,
        log_: Log,
        links: Links,
        checkpoints: Checkpoints,
        publish: Callable[[Sequence[AnyEvent]], Awaitable[None]],
        signer: Signer,
        *,
        zone: tzinfo,
        now: Callable[[], datetime],
        passing: tuple[type[Exception], ...] = (),
    ) -> None:
        self._log, self._links, self._checkpoints = log_, links, checkpoints
        self._publish, self._signer = publish, signer
        self._zone, self._now, self._passing = zone, now, passing
        self._last_key = ""
        self.waits_for = ""
        """Why it cannot go on just now; empty while all is well."""

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            why = ""
            try:
                await self.step()
            except Broken as broken:
                why = str(broken)
            except self._passing as error:
                why = type(error).__name__
            if why and why != self.waits_for:
                log.error("waits", part="chain", reason=why)
            self.waits_for = why
            await asyncio.sleep(POLL_SECONDS)

    async def step(self) -> None:
        """Chain what is new; announce the checkpoint of a day that has begun."""
        frontier = await self.catch_up()
        key = f"day/{self._now().astimezone(self._zone).date().isoformat()}"
        if frontier.size and key != self._last_key:
            await self._keep(key, frontier)
            self._last_key = key
        await self._announce()

    async def head(self) -> Head:
        """How far the chain has come; a report says it of the log that it was counted from."""
        last = await self._links.last()
        return _head(last.after if last else Frontier())

    async def catch_up(self) -> Frontier:
        """Chain everything that the log holds.

        Raises `Broken` if its last link is not in the log, or if a message is missing: nothing is
        chained on what was tampered with.
        """
        last = await self._links.last()
        await self._copy(last.after.size if last else 0)
        while True:
            frontier = last.after if last else Frontier()
            messages = await self._log.read(max(frontier.size, 1), BATCH + 1)
            if last is not None:
                messages = _following(last, messages)
            if not messages:
                return frontier
            whole = _unbroken(messages, frontier.size + 1)
            await self._links.copy(whole)  # before the link: what is chained can be put back
            leaves = tuple(map(leaf_of, whole))
            link = Link(frontier.size, leaves, frontier.extended(leaves))
            last = link if await self._links.add_once(link) else await self._links.last()

    async def _copy(self, size: int) -> None:
        """Copies of what was chained before copies were kept."""
        copied = await self._links.copied()
        while copied < size:
            messages = await self._log.read(copied + 1, min(BATCH, size - copied))
            if not messages or messages[0].sequence != copied + 1:
                return  # lost: the chain says so
            whole = _unbroken(messages, copied + 1)
            await self._links.copy(whole)
            copied = whole[-1].sequence

    async def signed(self) -> str:
        """A checkpoint of everything up to now, announced nowhere; empty for an empty log."""
        return self._sign(await self.catch_up())

    async def announce_now(self) -> str:
        """The same, kept and announced."""
        frontier = await self.catch_up()
        if not frontier.size:
            return ""
        standing = await self._keep(f"size/{frontier.size}", frontier)
        await self._announce()
        return standing.data.signed

    async def _keep(self, key: str, frontier: Frontier) -> Event[AuditCheckpoint]:
        at, head = self._now(), _head(frontier)
        signed = self._sign(frontier)
        event = Event[AuditCheckpoint](
            id=derived_id(SOURCE, AuditCheckpoint.TYPE, key, head.root),
            source=SOURCE,
            type=AuditCheckpoint.TYPE,
            subject=self._signer.name,
            time=at,
            recordedtime=at,
            data=AuditCheckpoint(size=head.size, root=head.root, signed=signed),
        )
        return await self._checkpoints.add_once(key, event)

    def _sign(self, frontier: Frontier) -> str:
        return self._signer.checkpoint(frontier.size, frontier.root()) if frontier.size else ""

    async def _announce(self) -> None:
        if events := await self._checkpoints.waiting():
            await self._publish(events)
            await self._checkpoints.announced(events)


def checkpoint_teller(chain: Chain, public: str) -> Answerer:
    async def tell_checkpoint(party: str, _question: bytes) -> bytes:
        """A signed checkpoint of everything up to now: whoever keeps it is a witness.

        The operator's is announced too.
        """
        try:
            signed = await (chain.announce_now() if party == OPERATOR else chain.signed())
        except Broken as broken:
            told = CheckpointTold(checkpoint="", problem=str(broken), key=public)
        else:
            problem = "" if signed else "nothing was announced yet"
            told = CheckpointTold(checkpoint=signed, problem=problem, key=public)
        return told.model_dump_json().encode()

    return tell_checkpoint


def _head(frontier: Frontier) -> Head:
    return Head(frontier.size, b64encode(frontier.root()).decode())


def _following(last: Link, messages: Sequence[Logged]) -> Sequence[Logged]:
    """What comes behind the last link, which must be there as it was chained."""
    size = last.after.size
    if not messages:
        raise Broken(f"the log ends before message {size}, which was chained")
    if messages[0].sequence != size:
        raise Broken(f"message {size} was chained and is missing")
    if leaf_of(messages[0]) != last.leaves[-1]:
        raise Broken(f"message {size} is not the one that was chained")
    return messages[1:]


def _unbroken(messages: Sequence[Logged], first: int) -> Sequence[Logged]:
    """The messages up to the first gap."""
    pairs = zip(messages, count(first), strict=False)
    whole = [m for m, _ in takewhile(lambda pair: pair[0].sequence == pair[1], pairs)]
    if not whole:
        raise Broken(f"message {first} is missing")
    return whole
