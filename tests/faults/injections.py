"""The faults: each goes on for a while and comes to an end, and says how often it struck."""

import asyncio
import shutil
import signal
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

import nats.errors
import orjson
from nats.js.api import DiscardPolicy, StreamConfig
from nats.js.errors import APIError

from deploy.command import Order
from deploy.dead import dead_letters, redrive
from deploy.demo import OPERATOR, PERIOD
from deploy.rebuild import from_the_beginning
from deploy.refill import refill
from deploy.services import NAMES
from deploy.stream import messages
from shared.contracts import ReportRevise
from shared.runtime.mongo import PyMongoError, open_client
from shared.runtime.sealing import Opener
from shared.runtime.streams import ADVISORIES, CONSUMERS, EVENTS
from tests.faults.load import now
from tests.faults.run import Run
from tests.faults.service import POINTS

MEGABYTE = 1024 * 1024
FILLER = "FILLER"


async def killed_at_points(run: Run) -> int:
    """F-01: each service at each named point, all three at once; then at random moments."""
    world, deaths, missed = run.world, 0, []
    for point in POINTS:
        for name in NAMES:
            world.arm(name, point)
        closing = asyncio.create_task(_revise(run))
        reached = await asyncio.gather(*(world.died(name, 6.0) for name in NAMES))
        await closing
        deaths += sum(reached)
        missed += [f"{n}@{point}" for n, hit in zip(NAMES, reached, strict=True) if not hit]
        await world.ready(60)
    if missed:
        run.note += f" never reached: {', '.join(missed)}"
    return deaths


async def killed_at_random(run: Run) -> int:
    count = 100 if run.long else 8
    for _ in range(count):
        await asyncio.sleep(run.draw.uniform(0.2, 2.5))
        name = run.draw.choice(NAMES)
        try:
            run.world.signal(name, signal.SIGKILL)
        except ProcessLookupError:
            await run.world.ready(60)
            run.world.signal(name, signal.SIGKILL)
    return count


async def nats_down(run: Run) -> int:
    lengths = (*[5.0] * 18, 60.0, 600.0) if run.long else (5.0,)
    for seconds in lengths:
        await run.world.stack.kill("nats")
        await asyncio.sleep(seconds)
        await run.world.stack.start_part("nats")
        await asyncio.sleep(1)
    return len(lengths)


async def cut_off(run: Run) -> int:
    """F-03: one service from one server, both ways or one, longer than `ack_wait`."""
    ways = [(s, p, w) for s in NAMES for p in ("nats", "mongo") for w in ((), ("up",), ("down",))]
    if run.long:
        ways = [*ways, *run.draw.sample(ways, 4)]
    else:
        ways = [
            ("intake", "nats", ()),
            ("routing", "mongo", ("down",)),
            ("reporting", "nats", ("up",)),
            ("intake", "mongo", ("up",)),
        ]
    for service, part, way in ways:
        link = run.world.links[service, part]
        link.cut(*way)
        await asyncio.sleep(2 * run.world.ack_wait)
        link.mend()
        await asyncio.sleep(0.5)
    return len(ways)


async def streams_lost(run: Run) -> int:
    """F-04: NATS comes back with an empty disk, and the stores fill the streams again.

    What lay in FEED and was not taken yet would be lost with it: nobody else has it.
    """
    count = 20 if run.long else 1
    world = run.world
    for _ in range(count):
        await asyncio.sleep(2)
        run.load.goes_on.clear()
        await asyncio.gather(*run.load.tasks)
        await run.drained()
        await world.kill_services()
        await world.stack.kill("nats")
        await asyncio.to_thread(shutil.rmtree, world.state / "nats")
        await world.stack.start_part("nats")
        refilled = await refill(run.client, world.endpoints)
        run.note += f" {refilled.copied}+{refilled.kept} events, {refilled.reports} reports back"
        await world.start_services()
        run.load.goes_on.set()
        await asyncio.sleep(2)
    return count


async def poisoned(run: Run) -> int:
    """F-09, F-10: some sendings and events fail for ever, one kills; mended, they are driven again.

    Answers how many were set aside. Whatever the server was told to end has its letter.
    """
    world, client = run.world, run.client
    world.flag("poison", '3","source"')
    world.flag("deadly", '"id":"F-09-16"')
    reasons: Counter[str] = Counter()
    for _ in range(150):
        await asyncio.sleep(1)
        reasons = Counter([letter.data.reason async for letter in dead_letters(client)])
        if reasons["crashed"] and reasons["failed"] >= 20:
            break
    world.unflag("poison")
    world.unflag("deadly")
    run.load.goes_on.clear()
    await asyncio.gather(*run.load.tasks)
    await asyncio.sleep(2)
    letters = {(d.stream, d.sequence, d.consumer) async for d in _letters(run)}
    unexplained = await _ended(run) - letters
    opener = Opener.from_text((world.endpoints.keys / "operator.key").read_text())
    driven = 0
    while found := [letter async for letter in redrive(client, opener)]:
        driven += len(found)
        await run.drained()
    run.note += f" {dict(reasons)}, {driven} driven again, {len(unexplained)} unexplained"
    run.load.goes_on.set()
    return len(letters)


async def _letters(run: Run):
    async for letter in dead_letters(run.client):
        yield letter.data


async def _ended(run: Run) -> set[tuple[str, int, str]]:
    """Stream, sequence and consumer of every message that the server was told to end."""
    advised = [orjson.loads(m.data) async for m in messages(run.client, ADVISORIES)]
    return {
        (a["stream"], a["stream_seq"], a["consumer"]) for a in advised if "terminated" in a["type"]
    }


async def disk_full(run: Run) -> int:
    """F-06: the streams may take no byte more, for a while; then there is room again."""
    count = 20 if run.long else 1
    jetstream = run.client.jetstream()
    filler = StreamConfig(
        name=FILLER, subjects=["feed.filler.a.b.filler"], discard=DiscardPolicy.NEW
    )
    filler.subjects = ["filler"]
    for _ in range(count):
        info = await jetstream.add_stream(filler)
        del info
        refused = 0
        for size in (MEGABYTE, 64 * 1024, 1024):
            while refused < 3:
                try:
                    await _fill(run, size)
                except (APIError, nats.errors.Error):
                    refused += 1
            refused = 0
        await asyncio.sleep(5)
        await _free(run, filler)
        await asyncio.sleep(2)
    return count


async def stopped(run: Run) -> int:
    """F-07: a service stands still for longer than `ack_wait`, and goes on."""
    count = 20 if run.long else 3
    for number in range(count):
        name = NAMES[number % len(NAMES)]
        run.world.signal(name, signal.SIGSTOP)
        await asyncio.sleep(2 * run.world.ack_wait)
        run.world.signal(name, signal.SIGCONT)
        await asyncio.sleep(0.5)
    return count


async def primary_lost(run: Run) -> int:
    """F-08: the primary steps down, and is killed; in turn."""
    count = 20 if run.long else 4
    members = run.world.members
    for number in range(count):
        port = await members.primary()
        if number % 2:
            await members.processes[port].kill()
            await asyncio.sleep(4)
            await members.processes[port].start()
        else:
            client = open_client(f"mongodb://127.0.0.1:{port}/?directConnection=true")
            try:
                await client.admin.command("replSetStepDown", 5, force=True)
            except PyMongoError:
                run.note += " no step-down"
            client.close()
        await asyncio.sleep(6)
    await members.primary()
    return count


async def delivered_again(run: Run) -> int:
    """F-12: every consumer of the log is given all of it once more, far beyond any window."""
    count = 20 if run.long else 1
    jetstream = run.client.jetstream()
    for _ in range(count):
        for durable in CONSUMERS.values():
            if durable.stream == EVENTS:
                await from_the_beginning(jetstream, durable, nothing)
        await asyncio.sleep(4)
    return count


async def nothing() -> None:
    pass


async def shuffled(run: Run) -> int:
    return await _flagged(run, "shuffle", "1", 20 if run.long else 1, 6.0)


async def slow_handlers(run: Run) -> int:
    """F-14: every batch takes twice as long as `ack_wait`."""
    seconds = 2 * run.world.ack_wait
    return await _flagged(run, "slow", str(seconds), 20 if run.long else 1, 1.5 * seconds)


async def acknowledgements_lost(run: Run) -> int:
    return await _flagged(run, "no-ack", "3", 20 if run.long else 1, 8.0)


async def doubled(run: Run) -> int:
    """F-17: two of each service, two relays, two schedules; then one of each dies."""
    count = 20 if run.long else 1
    for _ in range(count):
        twins = [await run.world.twin(name) for name in NAMES]
        await asyncio.sleep(8)
        for twin in twins:
            await twin.kill()
    return count


async def everything_killed(run: Run) -> int:
    """F-22: both servers and all services at once; started again in any order."""
    count = 20 if run.long else 2
    world = run.world
    for _ in range(count):
        await asyncio.gather(
            world.stack.kill("nats"), world.stack.kill("mongo"), world.kill_services()
        )
        parts = ["nats", "mongo", "services"]
        run.draw.shuffle(parts)
        names = list(NAMES)
        run.draw.shuffle(names)
        tasks = []
        for part in parts:
            work = (
                world.start_services(names) if part == "services" else world.stack.start_part(part)
            )
            tasks.append(asyncio.create_task(work))
            await asyncio.sleep(1)
        await asyncio.gather(*tasks)
        await asyncio.sleep(2)
    return count


async def _flagged(run: Run, flag: str, content: str, count: int, seconds: float) -> int:
    for _ in range(count):
        run.world.flag(flag, content)
        await asyncio.sleep(seconds)
        run.world.unflag(flag)
        await asyncio.sleep(0.5)
    return count


async def _revise(run: Run) -> None:
    """So that reporting has something to publish."""
    order = Order(OPERATOR, PERIOD, now(), ReportRevise(period=PERIOD))
    await run.load.give_order(order, counted=False)


async def _fill(run: Run, size: int) -> None:
    await run.client.jetstream().publish("filler", bytes(size), timeout=2, stream=FILLER)


async def _free(run: Run, filler: StreamConfig) -> None:
    """Room again, without a right to delete: the filler may keep one message."""
    filler.discard, filler.max_msgs = DiscardPolicy.OLD, 1
    await run.client.jetstream().update_stream(filler)
    filler.discard, filler.max_msgs = DiscardPolicy.NEW, -1
    await run.client.jetstream().update_stream(filler)


@dataclass(frozen=True)
class Fault:
    """`world` is what it asks of the world; faults that ask for the same share one."""

    code: str
    title: str
    inject: Callable[[Run], Awaitable[int]]
    world: dict = field(default_factory=dict)


FAULTS = (
    Fault("F-01", "kill -9 at each named point", killed_at_points),
    Fault("F-01r", "kill -9 at random moments", killed_at_random),
    Fault("F-02", "NATS down", nats_down),
    Fault("F-03", "partitions, also one-way", cut_off),
    Fault("F-04", "all streams lost, refilled", streams_lost),
    Fault("F-06", "streams' disk full", disk_full),
    Fault("F-07", "a service stands still", stopped),
    Fault("F-09", "poison, driven again (F-10)", poisoned),
    Fault("F-12", "everything delivered again", delivered_again),
    Fault("F-13", "reordered deliveries", shuffled),
    Fault("F-14", "handlers beyond ack_wait", slow_handlers),
    Fault("F-15", "acknowledgements lost", acknowledgements_lost),
    Fault("F-17", "two of each service", doubled),
    Fault("F-22", "everything killed, any order", everything_killed),
    Fault("F-08", "primary steps down, is killed", primary_lost, {"members": True}),
)
