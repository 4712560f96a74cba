"""Nothing that a mail does in the child that parses it harms the service or the next mail."""

import asyncio
import contextlib
import os
import signal
import sys
import time
from pathlib import Path

import pytest
from prometheus_client import REGISTRY

from services.intake.domain.mail import Mail, read_mail
from services.intake.parsing import pool as parsing
from services.intake.parsing.pool import ParserPool, ParserUnavailable
from tests.examples_intake import mail
from tests.examples_mail import BEYOND_A_CAP, WITHIN_THE_CAPS, attached, nested

STAND_IN = (sys.executable, "-P", "-s", "-B", str(Path(__file__).with_name("parsing_child.py")))
MEGABYTE = 1024 * 1024
ORDINARY = mail("Hồ sơ bị hẹn lại lần thứ ba.")


def obeying(**more: object) -> ParserPool:
    return ParserPool(child=STAND_IN, **({"wall_seconds": 0.5} | more))


def order(what: str) -> bytes:
    return mail(subject=what)


def children() -> set[int]:
    """Processes that this one has started, zombies too."""
    found = set()
    for status in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            fields = status.read_text().rsplit(")", 1)[1].split()
            if int(fields[1]) == os.getpid():
                found.add(int(status.parent.name))
    return found


def is_over(pid: int) -> bool:
    """Ended, even if its new parent has not looked yet."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] == "Z"
    except OSError:
        return True


async def over(pid: int) -> bool:
    for _ in range(200):
        if is_over(pid):
            return True
        await asyncio.sleep(0.05)
    return False


class TestReading:
    async def test_a_mail_is_read_as_in_the_service_itself(self):
        raws = [
            ORDINARY,
            attached(b"%PDF-1", "application/pdf", "Đơn.pdf"),
            nested(5),
            b"",
            b"\xff\0",
        ]

        async with ParserPool() as pool:
            read = await pool.read(raws)

        assert read == [read_mail(raw) for raw in raws]
        assert read[0].date.isoformat() == read_mail(ORDINARY).date.isoformat()

    async def test_mails_come_back_in_order(self):
        raws = [mail(str(number)) for number in range(100)]

        async with ParserPool(processes=2) as pool:
            read = await asyncio.gather(pool.read(raws), pool.read(raws[::-1]))

        assert [m.text.strip() for m in read[0]] == [str(number) for number in range(100)]
        assert read[1] == read[0][::-1]

    async def test_nothing_is_asked_of_a_child_without_mails(self):
        async with ParserPool(child=("/nowhere",)) as pool:
            assert await pool.read([]) == []

    async def test_a_child_that_cannot_start_is_no_fault_of_the_mail(self):
        async with ParserPool(child=("/nowhere",)) as pool:
            with pytest.raises(ParserUnavailable):
                await pool.read([ORDINARY])

    async def test_a_child_that_ends_at_once_is_no_fault_of_the_mail(self):
        async with obeying(cpu_seconds=0) as pool:
            with pytest.raises(ParserUnavailable):
                await pool.read([ORDINARY])


ORDERS = {
    "spin": "refused-time",
    "sleep": "refused-time",
    "ignore its clock": "refused-time",
    "eat": "refused-memory",
    "eat slowly": "refused-memory",
    "crash": "refused-crash",
    "follow a null pointer": "refused-crash",
    "leave": "refused-crash",
    "close its output": "refused-time",
    "say nothing": "refused-crash",
    "say {": "refused-crash",
    "say []": "refused-crash",
    'say {"text": 1}': "refused-crash",
    'say {"text": "a\\\\u0000"}': "refused-crash",
    'say {"text": "\\\\ud800"}': "refused-crash",
    'say {"automatic": true}': "refused-crash",
    "say too much": "refused-crash",
}


class TestLimits:
    @pytest.mark.parametrize("what", ORDERS)
    async def test_a_mail_over_which_the_child_dies_is_refused_alone(self, what):
        async with obeying(grace_seconds=0.5) as pool:
            read = await pool.read([ORDINARY, order(what), ORDINARY])

        assert read == [read_mail(ORDINARY), Mail(flags=(ORDERS[what],)), read_mail(ORDINARY)]

    async def test_a_mail_that_could_not_be_parsed_counts_by_why(self):
        def failures(reason):
            labels = {"reason": reason}
            return REGISTRY.get_sample_value("langnghe_parse_failures_total", labels)

        before = failures("refused-crash")
        async with obeying() as pool:
            await pool.read([ORDINARY, order("crash")])

        assert failures("refused-crash") == before + 1

    @pytest.mark.parametrize(
        ("what", "limit"),
        [("spin", {"cpu_seconds": 1, "wall_seconds": 600}), ("sleep", {"wall_seconds": 0.5})],
    )
    async def test_the_child_ends_itself_without_the_service(self, what, limit):
        async with obeying(grace_seconds=600, **limit) as pool, asyncio.timeout(20):
            read = await pool.read([order(what), ORDINARY])

        assert [m.flags for m in read] == [("refused-time",), ()]

    async def test_a_service_that_stood_still_refuses_nothing(self):
        async with obeying(wall_seconds=0.2, grace_seconds=0.2) as pool:
            await pool.read([ORDINARY])
            reading = asyncio.create_task(pool.read([ORDINARY] * 3))
            for _ in range(20):
                await asyncio.sleep(0)
            time.sleep(0.6)  # noqa: ASYNC251 - stands still

            assert [m.flags for m in await reading] == [()] * 3

    async def test_what_earlier_mails_left_behind_is_no_fault_of_the_next(self):
        once = order("crash if it is not the first")

        async with obeying() as pool:
            await pool.read([ORDINARY])
            read = await pool.read([once, ORDINARY, once])

        assert [m.flags for m in read] == [(), (), ()]

    async def test_a_mail_too_large_is_not_even_sent(self):
        async with obeying() as pool:
            read = await pool.read([ORDINARY, b"x" * (parsing.MOST_BYTES + 1), ORDINARY])

        assert [m.flags for m in read] == [(), ("refused-size",), ()]

    async def test_the_child_knows_no_secret(self, monkeypatch):
        monkeypatch.setenv("LANGNGHE_KEYS", "secret")
        async with obeying() as pool:
            [told] = await pool.read([order("tell")])

        assert "secret" not in told.text
        assert "LANGNGHE" not in told.text

    async def test_memory_and_files_are_bounded(self):
        async with obeying(memory_bytes=200 * MEGABYTE) as pool:
            [told, opened] = await pool.read([order("tell"), order("open many")])

        assert told.text.endswith(f"[{200 * MEGABYTE}, 0, 0])")
        assert opened.flags == ("refused-crash",)

    async def test_the_largest_mail_that_may_be_sent_is_read(self):
        content = os.urandom(18 * MEGABYTE)

        async with ParserPool(wall_seconds=60, cpu_seconds=60) as pool:  # the memory is asked about
            [read] = await pool.read([attached(content, "application/pdf")])

        assert (read.flags, read.attachments[0].size) == ((), len(content))


class TestEnd:
    async def test_no_child_outlives_the_pool(self):
        before = children()
        async with ParserPool(processes=2) as pool:
            await asyncio.gather(pool.read([ORDINARY]), pool.read([ORDINARY]))
            assert len(children() - before) == 2

        assert children() - before == set()

    async def test_cancellation_leaves_no_child_at_work(self):
        before = children()
        async with obeying(wall_seconds=60) as pool:
            await pool.read([ORDINARY])
            reading = asyncio.create_task(pool.read([order("spin")]))
            await asyncio.sleep(0.1)
            reading.cancel()
            with pytest.raises(asyncio.CancelledError):
                await reading

            assert children() - before == set()
            assert [m.flags for m in await pool.read([ORDINARY])] == [()]

    async def test_a_child_ends_with_its_parent(self):
        parent = await asyncio.create_subprocess_exec(
            *(sys.executable, "-c", PARENT),
            env={"PYTHONPATH": os.pathsep.join(sys.path)},
            stdout=asyncio.subprocess.PIPE,
        )
        pid = int(await parent.stdout.readline())
        parent.kill()
        await parent.wait()

        assert await over(pid)

    async def test_signals_for_the_service_lose_no_mail(self):
        async with obeying() as pool:
            await pool.read([ORDINARY])
            [pid] = [child.process.pid for child in pool._children]
            os.kill(pid, signal.SIGTERM)
            os.kill(pid, signal.SIGINT)

            assert (await pool.read([ORDINARY]))[0].flags == ()
            assert [child.process.pid for child in pool._children] == [pid]


PARENT = """
import asyncio
from services.intake.parsing.pool import ParserPool

async def main():
    async with ParserPool() as pool:
        await pool.read([b"Subject: a"])
        print(next(iter(pool._children)).process.pid, flush=True)
        await asyncio.sleep(60)

asyncio.run(main())
"""

PROBES = BEYOND_A_CAP | WITHIN_THE_CAPS


SLOW = "winmail of endless values"
"""May use up its time or its memory, or be read without its attachments: as the library fails."""


async def test_every_probe_is_answered_before_an_ordinary_mail_is_read():
    """Fifty and more mails made to do harm, each followed by a person's.

    Seconds of the processor alone are counted: other tests run beside this one.
    """
    assert len(PROBES) >= 50
    raws = [raw for probe in PROBES.values() for raw in (probe(), ORDINARY)]

    async with ParserPool(cpu_seconds=2, wall_seconds=60) as pool:
        read = await pool.read(raws)
    answers = dict(zip(PROBES, read[::2], strict=True))
    refused = {name: m for name, m in answers.items() if m.flags[:1] and "refused-" in m.flags[0]}

    assert read[1::2] == [read_mail(ORDINARY)] * len(PROBES)
    assert refused.keys() - {SLOW} == BEYOND_A_CAP.keys()
    assert SLOW in refused or answers[SLOW].text.strip() == "Kèm theo."
