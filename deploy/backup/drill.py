"""The way back, tried from end to end on a system of its own: nothing that runs is touched."""

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
from deploy.connection import Address, Endpoints, connected
from deploy.demo import quiet, run_demo
from deploy.local import LocalStack
from deploy.verify import verify

Say = Callable[[str], None]


class Failed(Exception):
    """The way back did not lead back; the text says at which step."""


async def drill(say: Say) -> None:
    """Says a line for each step; raises `Failed` at the first that does not hold."""
    with tempfile.TemporaryDirectory(prefix="langnghe-drill-") as folder:
        root = Path(folder)
        state, archive, keys = root / "state", root / "backup", root / "backup-keys"
        async with up.system(state) as running:
            totals = await running.guard(run_demo(running.endpoints))
            _must(totals.verify == "ok", f"the fed system does not verify: {totals.findings}")
            say(f"fed         {totals.received} items, {totals.cases} cases; verify ok")
            async with connected(running.endpoints.nats) as client:
                taken = await backup(client, running.endpoints, archive, keys, _now)
            size = sum(held.bytes for held in taken.files.values())
            say(f"backed up   {len(taken.files)} files, {size / 1e6:.1f} MB, services running")
        for parts in (frozenset(Part), frozenset({Part.NATS}), frozenset({Part.MONGO})):
            lost = " and ".join(sorted(parts))
            for part in parts:
                shutil.rmtree(state / part)
            restored = await _restored(state, archive, keys, parts)
            findings = await _verified(state)
            _must(not restored.gap, f"after losing {lost} something is missing: {restored.gap}")
            _must(not findings, f"after losing {lost}: {findings}")
            say(f"lost        {lost}; restored; verify ok")


async def _restored(state: Path, archive: Path, keys: Path, parts: frozenset[Part]) -> Restored:
    access = LocalAccess(state)
    async with LocalStack(state, access=access) as stack:
        address = Address(stack.nats_url, access.seed(OPERATOR))
        endpoints = Endpoints(address, stack.mongo_url, keys=state / "keys")
        async with connected(address) as client:
            return await restore(client, endpoints, archive, keys, parts=parts)


async def _verified(state: Path) -> list[str]:
    async with up.system(state) as running, connected(running.endpoints.nats) as client:
        await running.guard(quiet(client))
        return [str(finding) for finding in await verify(client, running.endpoints)]


def _must(held: object, otherwise: str) -> None:
    if not held:
        raise Failed(otherwise)


def _now() -> datetime:
    return datetime.now(UTC)
