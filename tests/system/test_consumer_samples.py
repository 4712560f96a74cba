"""What `docs/consumers.md` shows a reader of reports works as it stands, against a whole system."""

import asyncio
import json
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pytest

from deploy.access.nkeys import draw_once
from deploy.access.permissions import READER, reader, service
from deploy.connection import Address, connected
from deploy.up import system
from services.reporting.domain.revision import digest
from shared.contracts import ReportPublished
from shared.contracts.envelope import Event
from shared.contracts.report import Column, Edition, Period, ReportRow
from shared.runtime.bus import Bus
from shared.runtime.streams import REPORTS
from tests.contracts import messages
from tests.documents import SAMPLES
from tests.examples_intake import label
from tests.guarded import SEAL, At
from tests.node import needs_node, run_node

PACKAGES = ("@nats-io/transport-node", "@nats-io/jetstream")
WITHHELD = 3


def report(unit: str, revision: int, *cells: int | None, edition: Edition = Edition.PUBLIC):
    """As reporting says it, with a name in one language alone."""
    code = f"{unit} {revision} {edition}"
    found = ReportPublished(
        form="s-124",
        unit=unit,
        period=Period(
            code="2026-h1",
            label=label("6 tháng đầu năm 2026"),
            first_day=date(2025, 12, 15),
            last_day=date(2026, 6, 14),
        ),
        edition=edition,
        revision=revision,
        title=label("Kết quả tiếp nhận"),
        citation="Thông tư số 01/2024/TT-TTCP",
        columns=tuple(
            Column(code=str(n + 1), label=label(f"Cột {n + 1}")) for n in range(len(cells))
        ),
        rows=(ReportRow(unit=unit, name=label("Phường Sen Trắng"), own=True, cells=cells),),
        totals=cells,
        identities=(),
        digest="",
        directory=1,
        rulebook=1,
        threshold=WITHHELD if edition is Edition.PUBLIC else None,
    )
    found = found.model_copy(update={"digest": digest(found)})
    at = messages.event("report.published.v1").time
    return Event[ReportPublished](
        id=code.replace(" ", "-"),
        source="/services/reporting",
        type=found.TYPE,
        time=at,
        data=found,
    )


def forged() -> Event[ReportPublished]:
    """A figure was changed after the digest was taken."""
    event = report("p4", 1, 5, 6)
    return event.model_copy(update={"data": event.data.model_copy(update={"totals": (5, 7)})})


FIRST = (
    report("p1", 1, 10, 20),
    report("p1", 1, 11, 21, edition=Edition.INTERNAL),
    report("p2", 1, 10, None),
    report("p1", 2, 12, 20),
)
LATER = (report("p1", 5, 13, 20), report("p3", 1, 1, 1), forged())


@dataclass(frozen=True, slots=True)
class Reading:
    """A system with one reader let in, and where it keeps what it takes."""

    url: str
    code: str
    seed: Path
    folder: Path

    def python(self) -> list[str]:
        command = [sys.executable, SAMPLES / "report_consumer.py", *self._arguments()]
        told = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
        assert told.returncode == 0, told.stderr
        return told.stdout.splitlines()

    def javascript(self) -> list[str]:
        """Beside its packages: a module looks for them where it lies."""
        packages = needs_node(*PACKAGES)
        program = self.folder.parent / "report_consumer.mjs"
        program.write_bytes((SAMPLES / program.name).read_bytes())
        if not (beside := program.parent / "node_modules").exists():
            beside.symlink_to(packages)
        told = run_node(program, *self._arguments())
        assert told.returncode == 0, told.stderr
        return told.stdout.splitlines()

    def _arguments(self) -> Sequence[object]:
        return (self.url, self.code, self.seed, self.folder)


SAMPLES_OF: dict[str, Callable[[Reading], list[str]]] = {
    "report_consumer.py": Reading.python,
    "report_consumer.mjs": Reading.javascript,
}


@pytest.mark.parametrize("sample", SAMPLES_OF)
async def test_a_sample_keeps_public_reports_and_goes_on_where_it_was(tmp_path, sample):
    if sample.endswith(".mjs"):
        needs_node(*PACKAGES)
    run = SAMPLES_OF[sample]
    state, mine = tmp_path / "state", reader("bao-moi")
    async with system(state) as running:
        guarded = At(state, running.endpoints.nats)
        seed = draw_once(guarded.access.keys, mine.name)
        async with asyncio.timeout(10):
            while not await guarded.lets_in(mine):
                await asyncio.sleep(0.05)
        (tmp_path / "kept").mkdir()
        reading = Reading(running.endpoints.nats, "bao-moi", seed, tmp_path / "kept")
        await say(guarded, running.endpoints.nats, FIRST)
        first = await running.guard(in_thread(run, reading))
        again = await running.guard(in_thread(run, reading))
        await say(guarded, running.endpoints.nats, LATER)
        later = await running.guard(in_thread(run, reading))
        async with connected(running.endpoints.nats) as client:
            standing = await client.jetstream().consumer_info(REPORTS, mine.name)
        refused = guarded.refused()

    assert mine.name == f"{READER}{reading.code}"
    assert first == [
        "s-124.p1.2026-h1 revision 1: digest agrees",
        "s-124.p2.2026-h1 revision 1: digest agrees, 1 cells withheld below 3",
        "s-124.p1.2026-h1 revision 2: digest agrees",
    ]
    assert again == []
    assert later == [
        "s-124.p1.2026-h1 revision 5: digest agrees, missed 3 to 4",
        "s-124.p3.2026-h1 revision 1: digest agrees",
        "s-124.p4.2026-h1 revision 1: DIGEST DIFFERS",
    ]
    kept = {file.name: json.loads(file.read_text()) for file in reading.folder.iterdir()}
    assert kept.keys() == {f"s-124.p{n}.2026-h1.json" for n in (1, 2, 3, 4)}
    assert {report["edition"] for report in kept.values()} == {"public"}
    assert (standing.num_pending, standing.num_ack_pending) == (0, 0)
    assert refused == []


async def in_thread(run, reading: Reading) -> list[str]:
    return await asyncio.to_thread(run, reading)


async def say(guarded: At, url: Address, events: Sequence[Event[ReportPublished]]) -> None:
    """In reporting's name, as it publishes."""
    bus = Bus(url, "reporting", seal=SEAL, seed=guarded.access.seed(service("reporting").name))
    await bus.start()
    await bus.publish(events)
    await bus.stop()
