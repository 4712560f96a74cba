"""Carries events from JetStream to handlers and back, and decides the fate of every failure.

Decide → keep → publish → acknowledge: a handler decides and keeps; the bus publishes what it
returns with confirmation and acknowledges only then. A crash in between repeats the whole step.

A message that cannot be read is set aside alone, and its batch goes on. One of a type that this
version does not know comes back as if it had failed, for a newer replica to take. A batch that
fails is tried again in halves, so that one bad event never holds its neighbours; what still fails
comes back after `DELAYS`, then is set aside on `dead.<subject>`, sealed, with its reason. While a
store or a stream is away, messages wait in the hand: nothing is wrong with them, and nothing is
counted.
"""

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from operator import itemgetter
from pathlib import Path
from typing import Any, TypeVar

import nats.errors
import structlog
from faststream import AckPolicy
from faststream.nats import JStream, NatsBroker, NatsMessage, PullSub
from faststream.nats.security import NatsNKey
from faststream.security import BaseSecurity
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.js.api import ConsumerConfig
from nats.js.errors import NotFoundError
from pydantic import ValidationError

from shared.contracts import MessageSetAside
from shared.contracts.envelope import AnyEvent, Event, EventData, derived_id
from shared.runtime import batch_pull, headers, telemetry
from shared.runtime.arrival import Arrival
from shared.runtime.publish import Publisher, Unconfirmed, hand_in
from shared.runtime.redriven import as_it_was
from shared.runtime.sealing import Seal
from shared.runtime.streams import COMMANDS, CONSUMERS, REDRIVEN, Durable
from shared.runtime.suspects import Suspects
from shared.runtime.telemetry import CRASHED, FAILED, UNKNOWN, UNREADABLE

DELAYS = (1.0, 5.0, 30.0, 120.0, 600.0)
"""Seconds before each further delivery of a message that failed."""
FETCH_SECONDS = 1.0
HEARTBEAT_SECONDS = 5.0
"""A third of `ack_wait`: a message in the hand is not given to anyone else."""
SUSPECT = 2
"""From this delivery on a message is handled alone: it may be what ends the process."""
DEATHS = 2
"""Deaths alone, after one in company, by which a message is known to end the process."""
FIRST_PAUSE, LONGEST_PAUSE = 0.2, 5.0

EventHandler = Callable[[Sequence[Event[Any]]], Awaitable[Sequence[AnyEvent]]]
ArrivalHandler = Callable[[Sequence[Arrival]], Awaitable[Sequence[AnyEvent]]]
Handler = Callable[[Sequence[Any]], Awaitable[Sequence[AnyEvent]]]
Result = TypeVar("Result")
Answerer = Callable[[str, bytes], Awaitable[bytes]]
"""Takes the asking party, from the subject, and the question."""

log = structlog.get_logger("bus")


def _security(seed: Path | None, authority: Path | None) -> BaseSecurity | None:
    if seed is None:
        return None
    trusted = ssl.create_default_context(cafile=authority) if authority else None
    return NatsNKey.from_file(seed, ssl_context=trusted)


class UnknownType(LookupError):
    """A consumer has a type that this version of the service does not: a newer one declared it."""

    def __init__(self, service: str, kind: str) -> None:
        super().__init__(
            f"this version of {service} does not know {kind}: upgrade it, then drive it again"
        )


class Bus:
    """One process's connection to NATS.

    `passing` are the errors that say only that something is away for now.
    `seal` closes dead letters; `delays` are seconds. `seed` is the file of the NKey that a guarded
    server asks for; answers then come to an inbox that nobody else may listen to. `authority` is
    the file of certificates that servers at `tls://` are known by, else the system's.
    """

    def __init__(
        self,
        url: str,
        name: str,
        *,
        seal: Seal,
        seed: Path | None = None,
        authority: Path | None = None,
        passing: tuple[type[Exception], ...] = (),
        delays: Sequence[float] = DELAYS,
        on_closed: Callable[[], None] = lambda: None,
    ) -> None:
        batch_pull.mend()
        headers.mend()
        self._inbox = f"_INBOX_svc-{name}" if seed else "_INBOX"

        async def closed() -> None:
            on_closed()

        self.broker = NatsBroker(
            url.split(","),
            name=name,
            security=_security(seed, authority),
            inbox_prefix=self._inbox,
            max_reconnect_attempts=-1,
            reconnect_time_wait=1,
            closed_cb=closed,
            graceful_timeout=15.0,
            ack_policy=AckPolicy.MANUAL,
            apply_types=False,
            logger=None,
        )
        self._name = name
        self._publisher = Publisher(lambda: self.connection)
        self._suspects = Suspects(lambda: self.connection)
        self._passing: tuple[type[Exception], ...] = (*passing, Unconfirmed)
        self._seal = seal
        self._delays = tuple(delays)
        self._connected = False
        self._stopping = asyncio.Event()
        self._durables: list[Durable] = []
        self._by_name: dict[str, tuple[Durable, Callable[[Msg], Any], Handler]] = {}
        self.waits_for: dict[str, str] = {}
        """By durable: why it cannot go on just now; empty while all is well."""
        telemetry.begin_announcing(name)
        if again := REDRIVEN.get(name):
            self._fetch(again, self._work_again, "What the operator drives again.")

    @property
    def connection(self) -> Client:
        return self.broker.connection

    @property
    def is_connected(self) -> bool:
        """False before the start, and while the broker is away."""
        return self._connected and self.connection.is_connected

    def connected(self) -> Client:
        """For what works beside the bus: raises `Unconfirmed` while there is no connection."""
        if not self.is_connected:
            raise Unconfirmed("not connected")
        return self.connection

    async def start(self) -> None:
        """Connect and begin to fetch; raises when a consumer was never declared."""
        await self.broker.connect()
        self._connected = True
        jetstream = self.connection.jetstream()
        for durable in self._durables:
            try:
                await jetstream.consumer_info(durable.stream, durable.name)
            except NotFoundError:
                raise RuntimeError(
                    f"consumer {durable.name} is not declared: run `langnghe init` first"
                ) from None
        await self.broker.start()

    async def stop(self) -> None:
        """Stop fetching, finish what is in the hand or give it back, close."""
        self._stopping.set()
        try:
            await self.broker.stop()
        except nats.errors.Error as error:  # NATS is away: it gives everything out again
            log.warning("stopped without the server", kind=type(error).__name__)

    async def publish(self, events: Sequence[AnyEvent]) -> None:
        """Publish what does not follow from a message, with confirmation.

        Raises `Unconfirmed` also before the first connection, and `NotTaken`.
        """
        if not self._connected:
            raise Unconfirmed("not connected yet")
        await self._publisher.publish(events)

    async def order(self, party: str, kind: str, content: bytes) -> int:
        """Put a party's order, sent by another way, among those that it sends on the bus.

        Returns its sequence there. Raises `Unconfirmed`, when it may be in, or `NotTaken`.
        """
        if not self._connected:
            raise Unconfirmed("not connected yet")
        return await hand_in(self.connection, COMMANDS, f"command.{party}.{kind}", content)

    def react(self, durable: str, handler: EventHandler, *contracts: type[EventData]) -> None:
        """Hand batches of events of these contracts to `handler`."""
        readers = {contract.TYPE: Event[contract] for contract in contracts}  # type: ignore[valid-type]

        def read(message: Msg) -> Event[Any]:
            if (reader := readers.get(message.subject)) is None:
                raise UnknownType(self._name, message.subject)
            return reader.model_validate_json(message.data)

        self._subscribe(CONSUMERS[durable], read, handler)

    def admit(self, durable: str, handler: ArrivalHandler) -> None:
        """Hand over batches of what outside parties sent, unread: `handler` refuses by itself."""

        def read(message: Msg) -> Arrival:
            entrance, party, kind = message.subject.split(".", 2)
            return Arrival(
                entrance=entrance,
                party=party,
                type=kind,
                body=message.data,
                sequence=message.metadata.sequence.stream,
                recorded=message.metadata.timestamp,
            )

        self._subscribe(CONSUMERS[durable], read, handler)

    def answer(self, service: str, question: str, answerer: Answerer) -> None:
        """Answer `ask.<party>.<service>.<question>`; one replica answers."""

        async def answered(message: NatsMessage) -> bytes:
            raw: Msg = message.raw_message
            return await answerer(raw.subject.split(".")[1], raw.data)

        subscriber = self.broker.subscriber(
            f"ask.*.{service}.{question}", queue=service, decoder=_as_it_is
        )
        subscriber(answered)

    def _subscribe(self, durable: Durable, read: Callable[[Msg], Any], handler: Handler) -> None:
        self._by_name[durable.name] = (durable, read, handler)
        telemetry.begin(durable.name)

        async def work(batch: list[Msg]) -> None:
            await self._work(durable, read, handler, batch)

        self._fetch(durable, work, handler.__doc__)

    def _fetch(
        self, durable: Durable, work: Callable[[list[Msg]], Awaitable[None]], said: str | None
    ) -> None:
        self._durables.append(durable)

        async def consume(message: NatsMessage) -> None:
            raw: Any = message.raw_message
            await work(raw if isinstance(raw, list) else [raw])

        subscriber = self.broker.subscriber(
            stream=JStream(durable.stream, declare=False),
            durable=durable.name,
            inbox_prefix=f"{self._inbox}.".encode(),  # FastStream would take nobody's
            config=ConsumerConfig(filter_subjects=list(durable.subjects)),
            pull_sub=PullSub(batch_size=durable.batch, timeout=FETCH_SECONDS, batch=True),
            ack_policy=AckPolicy.MANUAL,
            no_reply=True,
            decoder=_as_it_is,
            description=said,
        )
        subscriber(consume)

    async def _work_again(self, batch: list[Msg]) -> None:
        """Each goes to the consumer that set it aside, as the message that it was."""
        for message in batch:
            durable, read, handler = self._by_name[message.subject.partition(".")[2]]
            await self._work(durable, read, handler, [as_it_was(message)])

    async def _work(
        self, durable: Durable, read: Callable[[Msg], Any], handler: Handler, batch: list[Msg]
    ) -> None:
        """Bring every message of the batch to its fate."""
        async with _kept_in_hand(batch):
            together: list[tuple[Msg, Any]] = []
            alone: list[Msg] = []
            for message in batch:
                if message.metadata.num_delivered >= SUSPECT:
                    alone.append(message)
                else:
                    together += await self._read(durable, read, message)
            if together:
                await self._attempt(durable, handler, together)
            if alone:
                await self._handle_alone(durable, read, handler, alone)

    async def _read(
        self, durable: Durable, read: Callable[[Msg], Any], message: Msg
    ) -> list[tuple[Msg, Any]]:
        """The message with what it says; nothing if it cannot be read and was set aside."""
        try:
            return [(message, read(message))]
        except UnknownType as error:
            await self._try_later(durable, message, UNKNOWN, str(error))
            return []
        except (ValidationError, ValueError, KeyError) as error:
            await self._set_aside(durable, message, UNREADABLE, _place(error))
            return []

    async def _handle_alone(
        self, durable: Durable, read: Callable[[Msg], Any], handler: Handler, batch: list[Msg]
    ) -> None:
        """One by one, those last with which a process ended: so their neighbours go through."""

        async def ask() -> list[int]:
            return [await self._suspects.deaths(durable, message) for message in batch]

        deaths = await self._until_done(durable, batch, ask)
        if deaths is None:
            return
        for noted, message in sorted(zip(deaths, batch, strict=True), key=itemgetter(0)):
            if noted >= DEATHS:
                await self._set_aside(durable, message, CRASHED, "")
            elif not self._stopping.is_set():
                await self._noted(durable, read, handler, message, noted)
            else:
                await batch_pull.give_back([message])

    async def _noted(
        self,
        durable: Durable,
        read: Callable[[Msg], Any],
        handler: Handler,
        message: Msg,
        deaths: int,
    ) -> None:
        """Note that it is begun, and that it ended well: a note that stands is a death."""

        async def begin() -> bool:
            await self._suspects.note(durable, message, deaths + 1)
            return True

        if not await self._until_done(durable, [message], begin):
            return
        if item := await self._read(durable, read, message):
            await self._attempt(durable, handler, item)
        with suppress(Unconfirmed):  # then a death too many is noted, one short of the end
            await self._suspects.note(durable, message, deaths)

    async def _attempt(
        self, durable: Durable, handler: Handler, batch: list[tuple[Msg, Any]]
    ) -> None:
        pause = FIRST_PAUSE
        while True:
            try:
                follow = await handler([item for _, item in batch])
                await self._publisher.publish(follow)
            except self._passing as error:
                self._waits(durable, error)
                if await self._stopped_within(pause):
                    await batch_pull.give_back([message for message, _ in batch])
                    return
                pause = min(pause * 2, LONGEST_PAUSE)
                continue
            except Exception as error:  # noqa: BLE001 - any error at all has a fate here
                self.waits_for.pop(durable.name, None)
                if len(batch) == 1:
                    await self._try_later(durable, batch[0][0], FAILED, _place(error))
                    return
                middle = len(batch) // 2
                await self._attempt(durable, handler, batch[:middle])
                await self._attempt(durable, handler, batch[middle:])
                return
            self.waits_for.pop(durable.name, None)
            await _each(message.ack() for message, _ in batch)
            telemetry.HANDLED.labels(durable.name).inc(len(batch))
            return

    async def _try_later(self, durable: Durable, message: Msg, reason: str, place: str) -> None:
        deliveries = message.metadata.num_delivered
        if deliveries > len(self._delays):
            await self._set_aside(durable, message, reason, place)
            return
        telemetry.RETRIED.labels(durable.name).inc()
        log.warning("will be tried again", durable=durable.name, deliveries=deliveries, at=place)
        await _each([message.nak(delay=self._delays[deliveries - 1])])

    async def _set_aside(self, durable: Durable, message: Msg, reason: str, detail: str) -> None:
        """Write the dead letter, confirmed; only then end the message."""
        about = message.metadata
        sequence = about.sequence.stream
        named = [str(sequence), about.timestamp.isoformat(), durable.name]
        named += [again] if (again := getattr(message, "redriven", "")) else []
        letter = Event[MessageSetAside](
            id=derived_id(durable.stream, *named),
            source=f"/services/{self._name}",
            type=MessageSetAside.TYPE,
            subject=durable.name,
            time=about.timestamp,
            data=MessageSetAside(
                stream=durable.stream,
                sequence=sequence,
                original_subject=message.subject,
                consumer=durable.name,
                deliveries=about.num_delivered,
                reason=reason,
                detail=detail,
                sealed=self._seal.close(message.data),
            ),
        )

        async def publish() -> bool:
            await self._publisher.publish([letter])
            return True

        if await self._until_done(durable, [message], publish):
            await _each([message.term()])
            telemetry.SET_ASIDE.labels(durable.name, reason).inc()
            log.error("set aside", durable=durable.name, reason=reason, at=detail)

    async def _until_done(
        self, durable: Durable, batch: list[Msg], work: Callable[[], Awaitable[Result]]
    ) -> Result | None:
        """The work's result, waiting while the server is away; None if we stopped before.

        Then the batch was given back.
        """
        pause = FIRST_PAUSE
        while True:
            try:
                result = await work()
            except Unconfirmed as error:
                self._waits(durable, error)
                if await self._stopped_within(pause):
                    await batch_pull.give_back(batch)
                    return None
                pause = min(pause * 2, LONGEST_PAUSE)
                continue
            self.waits_for.pop(durable.name, None)
            return result

    def _waits(self, durable: Durable, error: Exception) -> None:
        reason = type(error).__name__
        if self.waits_for.get(durable.name) != reason:
            log.warning("waits", durable=durable.name, reason=reason)
        self.waits_for[durable.name] = reason

    async def _stopped_within(self, seconds: float) -> bool:
        try:
            async with asyncio.timeout(seconds):
                await self._stopping.wait()
        except TimeoutError:
            return False
        return True


async def _as_it_is(message: NatsMessage) -> NatsMessage:
    return message


def _place(error: Exception) -> str:
    """Kind of error and where it arose. Never its text: it may quote what somebody said."""
    if isinstance(error, ValidationError):
        broken = error.errors(include_input=False, include_url=False, include_context=False)
        return ", ".join(f"/{'/'.join(map(str, e['loc']))}: {e['type']}" for e in broken[:3])
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    if trace is None:
        return type(error).__name__
    code = trace.tb_frame.f_code
    return f"{type(error).__name__} in {code.co_name}, {code.co_filename.rpartition('/')[2]}"


async def _each(acknowledgements: Any) -> None:  # noqa: ANN401 - any iterable of coroutines
    """Acknowledge; if the server is away it gives the message out again, which is harmless."""
    try:
        for acknowledgement in acknowledgements:
            await acknowledgement
    except nats.errors.Error as error:
        log.warning("not acknowledged", kind=type(error).__name__)


@asynccontextmanager
async def _kept_in_hand(batch: Sequence[Msg]) -> AsyncIterator[None]:
    """Tell the server again and again that these are still being worked on."""

    async def tell() -> None:
        while True:
            await asyncio.sleep(HEARTBEAT_SECONDS)
            await _each(m.in_progress() for m in batch if not m.is_acked)

    heartbeat = asyncio.create_task(tell())
    try:
        yield
    finally:
        heartbeat.cancel()
