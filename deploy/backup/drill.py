"""The way back, tried from end to end on a system of its own: nothing that runs is touched."""

import asyncio
import shutil
import tempfile
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from deploy import up
from deploy.access.local import LocalAccess
from deploy.access.permissions import OPERATOR
from deploy.backup.restoring import Part, Restored, restore
from deploy.backup.taking import backup
from deploy.command import Order, give
from deploy.connection import Address, Endpoints, connected
from deploy.demo import PERIOD, SAMPLE, quiet
from deploy.feed import feed
from deploy.items import Reader
from deploy.local import LocalStack
from deploy.rules import RULE_FILES, publish_rules
from deploy.up import Running
from deploy.verify import verify
from shared.contracts import ReportClose

AGENCIES = ("a-so-xay-dung", "a-so-y-te")
BEFORE, AFTER = (SAMPLE / "feed" / agency for agency in AGENCIES)
"""What is fed before the backup is taken, and after."""
Say = Callable[[str], None]


class Failed(Exception):
    """The way back did not lead back; the text says at which step."""


async def drill(say: Say) -> None:
    """Says a line for each step; raises `Failed` at the first that does not hold."""
    with tempfile.TemporaryDirectory(prefix="langnghe-drill-") as folder:
        root = Path(folder)
        state, archive, keys = root / "state", root / "backup", root / "backup-keys"
        after = await _begun(say, state, archive, keys)

        restored = await _lost_and_restored(state, archive, keys, Part.NATS)
        _must(not restored.gap, f"streams: something is missing: {restored.gap}")
        await _verifies(state, "streams")
        again = restored.refilled.copied + restored.refilled.kept
        say(f"streams     lost; restored, {again} later events refilled; verify ok")

        restored = await _lost_and_restored(state, archive, keys, Part.MONGO)
        gap = restored.gap
        named = {*gap.texts, *gap.records, *gap.additions}
        _must(named == after, f"databases: the gap names {named}, and not {after}")
        _must(restored.reissued == len(gap.texts), "databases: receipts are not known again")
        say(
            f"databases   lost; restored, the gap names all {len(after)} later items; receipts hold"
        )

        restored = await _lost_and_restored(state, archive, keys, *Part)
        _must(not restored.gap, f"both: something is missing: {restored.gap}")
        await _verifies(state, "both")
        say("both        lost; restored as of the backup; verify ok")


async def _begun(say: Say, state: Path, archive: Path, keys: Path) -> set[str]:
    """A system that was fed, backed up, and fed again; what the second feed was about."""
    async with up.system(state) as running, connected(running.endpoints.nats) as client:
        for noun in RULE_FILES:
            await publish_rules(client, SAMPLE / f"{noun}.yaml", noun)
        before = await _fed(running, BEFORE)
        await give(
            client, "reporting", [Order(OPERATOR, PERIOD, _now(), ReportClose(period=PERIOD))]
        )
        await _quiet(running)
        findings = await verify(client, running.endpoints)
        _must(not findings, f"the fed system: {list(map(str, findings))}")
        say(f"fed         {len(before)} items, a period closed; verify ok")
        taken = await backup(client, running.endpoints, archive, keys, _now)
        size = sum(held.bytes for held in taken.files.values())
        say(f"backed up   {len(taken.files)} files, {size / 1e6:.1f} MB, services running")
        after = await _fed(running, AFTER) - before
        say(f"fed         {len(after)} items more")
        return after


async def _fed(running: Running, folder: Path) -> set[str]:
    reader = Reader(AGENCIES, None, _now())
    async with connected(running.endpoints.nats) as client:
        told = await feed(client, reader.items(folder), wait_seconds=120, seal=True)
    await _quiet(running)
    return {each.submission for each in told if each.submission}


async def _quiet(running: Running) -> None:
    async with connected(running.endpoints.nats) as client:
        await running.guard(quiet(client))


async def _lost_and_restored(state: Path, archive: Path, keys: Path, *parts: Part) -> Restored:
    for part in parts:
        await asyncio.to_thread(shutil.rmtree, state / part)
    access = LocalAccess(state)
    async with LocalStack(state, access=access) as stack:
        address = Address(stack.nats_url, access.seed(OPERATOR))
        endpoints = Endpoints(address, stack.mongo_url, keys=state / "keys")
        async with connected(address) as client:
            return await restore(client, endpoints, archive, keys, parts=frozenset(parts))


async def _verifies(state: Path, what: str) -> None:
    async with up.system(state) as running, connected(running.endpoints.nats) as client:
        await _quiet(running)
        findings = [str(finding) for finding in await verify(client, running.endpoints)]
    _must(not findings, f"{what}: {findings}")


def _must(held: object, otherwise: str) -> None:
    if not held:
        raise Failed(otherwise)


def _now() -> datetime:
    return datetime.now(UTC)
