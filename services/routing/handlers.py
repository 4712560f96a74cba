"""Routing's reactions: submissions become cases, commands move them, new rules are kept."""

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, tzinfo
from typing import Protocol

from pydantic import ValidationError

from services.routing.domain.command import Sending
from services.routing.domain.lifecycle import KeptCase, OpenedCase
from services.routing.domain.opening import open_case
from services.routing.domain.rules import RulePublished, RulesInForce
from services.routing.load import Load
from services.routing.spreading import CasesContended, Spreading
from services.routing.taking import SHARING, Batch, Before, Waiting, Writes
from shared.contracts.case import CaseOpened
from shared.contracts.envelope import AnyEvent, Event
from shared.contracts.ingress import FatesAsked, FatesTold, ItemFate, Refused
from shared.contracts.order import CaseJoin, CaseSplit
from shared.contracts.submission import SubmissionReceived
from shared.runtime.arrival import Arrival
from shared.runtime.bus import Answerer
from shared.runtime.refusal import problems_of
from shared.runtime.telemetry import count_item

MOST_ROUNDS = 5
"""A lost race means that the case moved; commands on one case are few."""


class RulesMissing(Exception):
    """No directory, rulebook or calendar has arrived yet; the batch has to wait for them."""


class Rules(Protocol):
    async def latest(self) -> RulesInForce | None:
        """The latest version of each; None while one of the three has none."""

    async def add_once(self, published: Sequence[RulePublished]) -> None:
        """Keep each version; the first one of a number stands."""


class Cases(Protocol):
    async def add_once(self, opened: Sequence[OpenedCase]) -> Sequence[tuple[AnyEvent, ...]]:
        """Keep each case unless it is known; for each, in this order, the events that stand."""

    async def open_by_lead(self) -> Mapping[str, int]:
        """How many open cases each body leads; one that leads none is absent."""

    async def known(self, cases: Iterable[str]) -> Mapping[str, KeptCase]:
        """Those of the cases that are kept, by id."""

    async def letters(self, cases: Iterable[str]) -> Mapping[str, CaseOpened]:
        """How those of the cases that are kept were opened, by id."""

    async def advance(self, steps: Sequence[tuple[KeptCase, KeptCase]]) -> frozenset[str]:
        """Keep each case as its second state where it still has the version of its first.

        Returns the ids of those that had moved meanwhile and were left as they are.
        """


class Commands(Protocol):
    async def known(self, keys: Iterable[str]) -> Mapping[str, Sending]:
        """What became of these sendings, by key; those not decided yet are absent."""

    async def acted(self, commands: Iterable[tuple[str, str]]) -> Mapping[tuple[str, str], Sending]:
        """By party and command id, the sending under which the command was carried out."""

    async def add_once(self, sendings: Sequence[Sending]) -> Sequence[Sending]:
        """Keep what became of each; the first answer stands, unless a later one moved a case.

        Returns what stands, in this order.
        """

    async def told(self, party: str, asked: FatesAsked) -> Sequence[Sending]:
        """Every sending of the party that it asked for, in stream order."""


def case_opener(
    rules: Rules, cases: Cases, zone: tzinfo, now: Callable[[], datetime]
) -> Callable[[Sequence[Event[SubmissionReceived]]], Awaitable[Sequence[AnyEvent]]]:
    load = Load(cases)

    async def open_cases(received: Sequence[Event[SubmissionReceived]]) -> Sequence[AnyEvent]:
        """Each submission becomes a case with a lead body; its legal clocks start.

        Once and for good: a redelivery repeats the events. Ineligible submissions are led and
        counted like the others; no clock runs on them. Of equal bodies the one with fewer open
        cases leads.
        """
        latest = await rules.latest()
        if latest is None:
            raise RulesMissing("a directory, a rulebook and a calendar are needed")
        at = now()
        leads = await load.at(at)
        opened: dict[str, OpenedCase] = {}
        for event in received:
            case = open_case(event, latest, zone, at, leads)
            if case.state.case not in opened:
                opened[case.state.case] = case
                leads[case.state.lead] += 1
        standing = await cases.add_once(tuple(opened.values()))
        return [event for events in standing for event in events]

    return open_cases


def command_taker(
    rules: Rules, cases: Cases, ledger: Commands, zone: tzinfo, now: Callable[[], datetime]
) -> Callable[[Sequence[Arrival]], Awaitable[Sequence[AnyEvent]]]:
    load = Load(cases)

    async def take_commands(arrivals: Sequence[Arrival]) -> Sequence[AnyEvent]:
        """A lead body's command moves its case; what cannot be taken is answered with a refusal.

        A command counts once by party and id, however often it is sent; a redelivery of one
        sending repeats its answer. The case keeps the sending that moved it in the same write,
        so that a crash before the answer is kept or published costs nothing.
        """
        at = now()
        ordered = sorted({a.key: a for a in arrivals}.values(), key=lambda a: a.sequence)
        known = await ledger.known([arrival.key for arrival in ordered])
        batch = Batch(at=at, zone=zone, rules=await rules.latest())
        for arrival in ordered:
            if arrival.key not in known:
                batch.read(arrival)
        rounds = 0
        while batch.waiting:
            if rounds == MOST_ROUNDS:
                raise CasesContended("cases kept moving while commands were decided")
            turn = batch.next_turn()
            acted = await ledger.acted({(a.party, c.item) for a, c in turn})
            before = await _before(cases, turn)
            if any(isinstance(command.event.data, SHARING) for _, command in turn):
                before = replace(before, load=await load.at(at))
            if before.cases and batch.rules is None:
                raise RulesMissing("a case is kept, and the rules that it was opened by are not")
            lost = await _advance(cases, batch.settle(turn, before, acted))
            rounds += bool(lost)
            batch.take_back(turn, lost)
            for arrival, command in batch.named(turn):
                assert batch.rules is not None  # noqa: S101 - by none nothing was decided
                leads = await load.at(at)
                spreading = Spreading(cases, arrival, command, batch.rules, zone, at, leads)
                batch.also_said(arrival, await spreading.spread())
        standing = await ledger.add_once(tuple(batch.decided.values()))
        told = {**known, **{sending.key: sending for sending in standing}}
        for arrival in ordered:
            count_item(arrival.entrance, arrival.type, told[arrival.key].fate)
        return [event for arrival in ordered for event in told[arrival.key].events]

    return take_commands


async def _before(cases: Cases, turn: Sequence[Waiting]) -> Before:
    """The cases that these orders name, and what orders about letters are decided by besides."""
    named = {case for _, command in turn for case in command.cases}
    of_letters = [c for _, c in turn if isinstance(c.event.data, CaseSplit | CaseJoin)]
    return Before(
        cases=await cases.known(named),
        letters=await cases.letters({case for command in of_letters for case in command.cases}),
    )


async def _advance(cases: Cases, writes: Writes) -> frozenset[str]:
    """Write group after group, each only if nothing of those before was lost; then what begins.

    Returns the cases that had moved meanwhile.
    """
    for group in writes.groups:
        lost = await cases.advance(group)
        if lost:
            return lost
    if writes.parts:
        await cases.add_once(writes.parts)
    return frozenset()


def rule_keeper(
    rules: Rules,
) -> Callable[[Sequence[RulePublished]], Awaitable[Sequence[AnyEvent]]]:
    async def keep_rules(published: Sequence[RulePublished]) -> Sequence[AnyEvent]:
        """New versions of the directory, the rulebook and the calendar hold from now on."""
        await rules.add_once(published)
        return []

    return keep_rules


def fate_teller(ledger: Commands) -> Answerer:
    async def tell_fates(party: str, question: bytes) -> bytes:
        """What became of these commands of the party; one without an entry is pending."""
        try:
            asked = FatesAsked.model_validate_json(question)
        except ValidationError as error:
            told = FatesTold(fates=(), problems=problems_of(error))
        else:
            known = await ledger.told(party, asked)
            told = FatesTold(fates=tuple(_fate(sending) for sending in known))
        return told.model_dump_json(exclude_none=True).encode()

    return tell_fates


def _fate(sending: Sending) -> ItemFate:
    refusals = [event.data for event in sending.events if isinstance(event.data, Refused)]
    return ItemFate(
        item=sending.item,
        sequence=sending.sequence,
        fate=sending.fate,
        refusal=refusals[0] if refusals else None,
    )
