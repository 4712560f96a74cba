"""Sends the acknowledgements that are due.

The need lies in the submission's own document, written together with it, and is taken with a
lease: what a crash left is taken again. A crash after the mail server took the mail and before
that was written down sends it twice, under the same Message-ID, so that mail programs show one.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Protocol

import orjson
import structlog
from prometheus_client import Counter

from services.intake.acknowledging.post import PostAway, Taken
from services.intake.domain.acknowledging import Due, Never, letter, message_id, recipient_key
from services.intake.domain.duplicate import thread_key
from services.intake.domain.mail.writing import NotAnAddress, compose
from services.intake.handlers.ports import (
    Contents,
    DataKeys,
    Receipts,
    Rules,
    RuleVersions,
)
from services.intake.vault import open_sealed
from shared.contracts.directory import AgencyChannel
from shared.contracts.vocabulary import Channel

BATCH = 100
"""Of one round, so that it ends."""
LEASE = timedelta(minutes=10)
"""How long the one that took it has; longer than a mail server may keep us waiting."""
SOONEST, LATEST = timedelta(seconds=30), timedelta(hours=1)
"""Between two tries; in between, half as long as it has waited already."""
GIVEN_UP = timedelta(days=5)
"""As mail servers do (RFC 5321, section 4.5.4.1)."""

OUTCOMES = Counter(
    "langnghe_acknowledgements_total", "Acknowledgements, by what became of them.", ["outcome"]
)
log = structlog.get_logger("acknowledging")


class Acknowledgements(Protocol):
    """Which submissions' mails are still to be acknowledged."""

    async def take(self, at: datetime, until: datetime) -> Due | None:
        """One that is due and that nobody else has taken, leased until then."""

    async def admit(self, recipient: str, name: str, at: datetime) -> bool:
        """Count it for its recipient, both keyed hashes; False: it would be one too many."""

    async def join(self, submission: str, name: str) -> bool:
        """A mail that answers this one belongs to the submission; False if it was erased."""

    async def postpone(self, submission: str, until: datetime) -> None: ...

    async def done(self, submission: str, at: datetime) -> None: ...

    async def never(self, submission: str, why: Never) -> None: ...


class Posting(Protocol):
    async def send(self, to: str, raw: bytes) -> Taken:
        """Hand over one mail; raises `PostAway`."""


class Acknowledging:
    """`key` keys what is derived; `page` is the address at which a code tells how far it is.

    `passing` are the errors that say only that a store is away.
    """

    def __init__(
        self,
        acknowledgements: Acknowledgements,
        post: Posting,
        now: Callable[[], datetime],
        *,
        contents: Contents,
        data_keys: DataKeys,
        receipts: Receipts,
        rules: RuleVersions,
        key: bytes,
        page: str,
        passing: tuple[type[Exception], ...],
    ) -> None:
        self._acknowledgements, self._contents = acknowledgements, contents
        self._data_keys, self._receipts, self._rules = data_keys, receipts, rules
        self._post, self._now, self._key, self._page = post, now, key, page
        self._passing = passing
        self.waits_for = ""
        """Why the mail server takes nothing just now; empty while all is well."""

    async def send_due(self, _at: datetime) -> int:
        """Send what is due, up to `BATCH`; answers how many were sent."""
        sent = 0
        for _ in range(BATCH):
            at = self._now()
            due = await self._acknowledgements.take(at, at + LEASE)
            if due is None:
                break
            try:
                outcome = await self._acknowledge(due, at)
            except PostAway as away:
                await self._acknowledgements.postpone(due.submission, _next(due, at))
                self._wait(str(away))
                break
            except self._passing:
                raise
            except Exception as error:  # noqa: BLE001 - one never holds the others: it is tried again, then given up
                log.warning("not acknowledged", kind=type(error).__name__)
                outcome = Taken.LATER
            await self._keep(due, at, outcome)
            sent += outcome is Taken.SENT
        return sent

    async def _acknowledge(self, due: Due, at: datetime) -> Taken | Never:
        if at - due.received > GIVEN_UP:
            return Never.TOO_LATE
        address, answered = await self._sender(due.submission)
        if address is None:
            return Never.ERASED
        rules = await self._rules.latest()
        mailbox, name = _mailbox(rules, due.agency, at)
        if mailbox is None:
            return Never.NO_MAILBOX
        if address.lower() in _mailboxes(rules):
            return Never.OWN_MAILBOX
        own = message_id(due.submission, mailbox, self._key)
        words = letter(await self._receipts.give(due.submission), self._page)
        try:
            raw = compose(
                address,
                words.subject,
                words.text,
                message_id=own,
                date=at,
                sender=mailbox,
                sender_name=name,
                in_reply_to=answered,
            )
        except NotAnAddress:
            return Never.NOT_AN_ADDRESS
        fingerprint = thread_key(due.agency, own, key=self._key)
        recipient = recipient_key(address, self._key)
        if not await self._acknowledgements.admit(recipient, fingerprint, at):
            return Never.TOO_OFTEN
        # Before it goes out: an answer may come faster than we write.
        if not await self._acknowledgements.join(due.submission, fingerprint):
            return Never.ERASED
        taken = await self._post.send(address, raw)
        self._wait("")
        return Never.REFUSED if taken is Taken.REFUSED else taken

    async def _sender(self, submission: str) -> tuple[str | None, str | None]:
        """The sealed address and the Message-ID of what came from it; both None once erased."""
        parts = await self._contents.parts(submission, ("identity",)) or {}
        keys = await self._data_keys.find([part.key for part in parts.values()])
        sealed = parts.get("identity")
        if sealed is None or sealed.key not in keys:
            return None, None
        identity = orjson.loads(open_sealed(keys[sealed.key], "identity", sealed))
        return identity["from"], identity["message_id"]

    async def _keep(self, due: Due, at: datetime, outcome: Taken | Never) -> None:
        match outcome:
            case Taken.SENT:
                await self._acknowledgements.done(due.submission, at)
            case Never():
                await self._acknowledgements.never(due.submission, outcome)
            case _:
                await self._acknowledgements.postpone(due.submission, _next(due, at))
        OUTCOMES.labels(outcome.value).inc()

    def _wait(self, reason: str) -> None:
        if reason and reason != self.waits_for:
            log.warning("waits", part="acknowledgements", reason=reason)
        self.waits_for = reason


def _next(due: Due, at: datetime) -> datetime:
    """The longer it waits, the seldomer it is tried, without counting the tries."""
    return at + min(LATEST, max(SOONEST, (at - due.received) / 2))


def _mailbox(rules: Rules, agency: str, at: datetime) -> tuple[str | None, str]:
    """An agency's published mailbox, and the name of the unit whose it is."""
    found = rules.agencies.get(agency)
    if found is None:
        return None, ""
    units = {unit.code: unit.name.vi for unit in rules.directory.units}
    mailbox = next(
        (c.address for c in found.channels if _is_mailbox(c) and c.in_force(at.date())), None
    )
    return mailbox, units.get(found.unit, "")


def _mailboxes(rules: Rules) -> frozenset[str]:
    """Every mailbox of the directory, whether or not it is still in force."""
    channels = (c for agency in rules.agencies.values() for c in agency.channels)
    return frozenset(c.address.strip().lower() for c in channels if _is_mailbox(c))


def _is_mailbox(channel: AgencyChannel) -> bool:
    return channel.channel is Channel.MAILBOX
