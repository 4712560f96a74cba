"""Answers who asks whether a closing still follows from the rows, and what the rows say."""

from collections.abc import Callable, Container, Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta, tzinfo
from difflib import get_close_matches
from typing import Protocol

from pydantic import ValidationError

from services.reporting.domain.forms import Form
from services.reporting.domain.period import Window
from services.reporting.domain.revision import Closing
from services.reporting.domain.rollup import NoUnitInForce, Tree, roll_up
from services.reporting.figures import forms_in_force, own_cells, period_of, rows_behind, wrong
from services.reporting.ports import (
    Closings,
    Coverage,
    Flight,
    Rows,
    Rules,
    RulesInForce,
    RulesMissing,
)
from shared.contracts.ingress import FieldProblem
from shared.contracts.report import CountAsked, Counted, CountTold, RecountAsked, RecountTold
from shared.contracts.rulebook import Rulebook
from shared.runtime.asking import Unanswered
from shared.runtime.bus import Answerer
from shared.runtime.refusal import Unacceptable, problems_of

DAY = timedelta(days=1)
NOT_YOURS = CountTold(
    status="not-yours",
    problems=(
        FieldProblem(
            field="/unit",
            rule="not-yours",
            advice="Internal figures are told to the operator, and to a body those of the unit at "
            "which it sits: ask for that one.",
        ),
    ),
)
WRITE = {
    "/period": "Write <year>-<period> with a period of the rulebook, e.g. 2026-h1.",
    "/form": "Write its code in the rulebook, e.g. 01-xld.",
    "/unit": "Write its code in the directory.",
    "/as_of": "Write a local day of the period as YYYY-MM-DD, or leave it out.",
    "/known": "Write the moment as RFC 3339, e.g. 2026-01-31T08:00:00+07:00, or leave it out.",
}


class Counter(Protocol):
    async def figures_as_known(self, closing: Closing) -> Closing:
        """The closing counted again from what was known then, by its own rules."""


def recount_teller(counter: Counter, closings: Closings, overseers: Container[str]) -> Answerer:
    async def tell_recount(party: str, question: bytes) -> bytes:
        """Count each revision of a period again, as it was known, and compare every own cell.

        It takes as long as a closing, so that overseers alone are answered at all.
        """
        asked = RecountAsked.model_validate_json(question)
        told: dict[str, list[int]] = {}
        for closing in await closings.history(asked.period) if party in overseers else ():
            told.setdefault(await _compared(counter, closing), []).append(closing.revision)
        return RecountTold.model_validate(told).model_dump_json().encode()

    return tell_recount


async def _compared(counter: Counter, closing: Closing) -> str:
    if closing.in_flight:
        return "unsure"
    again = await counter.figures_as_known(closing)
    return "same" if again.figures == closing.figures else "differ"


def count_teller(counts: "Counts", now: Callable[[], datetime]) -> Answerer:
    async def tell_count(party: str, question: bytes) -> bytes:
        """What a report would have said of a unit, as of a day and as known at an instant.

        It takes as long as a closing. `overseers` are told of every unit, unless the directory
        has a body of that very code; a body is told of the unit at which it sits.
        """
        told = await counts.told(party, question, now())
        return told.model_dump_json(exclude_none=True).encode()

    return tell_count


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """Counts what was asked; `overseers` are the parties that may ask for any unit."""

    rows: Rows
    rules: Rules
    closings: Closings
    flight: Flight
    overseers: Container[str]
    zone: tzinfo

    async def told(self, party: str, question: bytes, at: datetime) -> CountTold:
        seats = await self._seats(party, at.astimezone(self.zone).date())
        if not seats and party not in self.overseers:
            return NOT_YOURS
        try:
            asked = CountAsked.model_validate_json(question)
        except ValidationError as error:
            return _unreadable(error)
        except OverflowError:  # an instant that, told in UTC, lies outside the years 1 to 9999
            far = FieldProblem(field="/known", rule="out-of-range", advice=WRITE["/known"])
            return _invalid([far])
        if seats and asked.unit not in seats:
            return NOT_YOURS
        try:
            return CountTold(status="told", counted=await self._counted(asked, at))
        except Unacceptable as why:
            return _invalid(
                FieldProblem(
                    field=problem.field.removeprefix("/data"),
                    rule=problem.rule,
                    advice=f"{why.title} {problem.advice}",
                )
                for problem in why.problems
            )

    async def _seats(self, party: str, today: date) -> set[str]:
        """The units at which a body of this code sits; none if the party is no body."""
        try:
            directory = (await self.rules.latest()).directory.directory
        except RulesMissing:
            return set()
        return {b.unit for b in directory.bodies if b.code == party and b.in_force(today)}

    async def _counted(self, asked: CountAsked, at: datetime) -> Counted:
        known = asked.known or at
        rules = await self._known(known, at)
        window = self._window(asked, rules.rulebook.rulebook, known)
        last_day = window.period.last_day
        form = _form(asked.form, forms_in_force(rules.rulebook.rulebook, last_day), last_day)
        tree = _tree(asked.unit, rules, last_day)
        covered = await self._covered(window)
        own = await own_cells(self.rows, rules, window, known=known, long_ago=True)
        [table] = (t for t in roll_up(form, own[form.code], tree) if t.unit == asked.unit)
        return Counted(
            form=form.code,
            unit=table.unit,
            period=window.period,
            known=known,
            title=form.title,
            citation=form.citation,
            columns=form.published_columns,
            rows=table.rows,
            totals=table.totals,
            directory=rules.directory.version,
            rulebook=rules.rulebook.version,
            covers=covered.position,
            in_flight=sum(covered.waiting.values()),
        )

    async def _covered(self, window: Window) -> Coverage:
        try:
            covered = await self.flight.before(window.end)
        except Unanswered:
            raise rows_behind("/known") from None
        if any(covered.position < closing.covers for closing in await self.closings.all()):
            raise rows_behind("/known")
        return covered

    async def _known(self, known: datetime, at: datetime) -> RulesInForce:
        if known > at:
            raise wrong(
                "not-yet",
                "That moment has not come yet.",
                "Name an earlier one, or leave it out.",
                field="/known",
            )
        try:
            return await self.rules.as_known(known)
        except RulesMissing:
            raise wrong(
                "no-rules",
                "No directory, or no rulebook, had been published by then.",
                "Name a later moment, or publish them.",
                field="/known",
            ) from None

    def _window(self, asked: CountAsked, rulebook: Rulebook, known: datetime) -> Window:
        period = period_of(asked.period, rulebook, field="/period")
        over = min(known.astimezone(self.zone).date() - DAY, period.last_day)
        if over < period.first_day:
            raise wrong(
                "period-not-begun",
                f"By then no day of {period.code} was over: it begins on {period.first_day}.",
                "Name a period that had begun.",
                field="/period",
            )
        as_of = asked.as_of or over
        if not period.first_day <= as_of <= over:
            raise wrong(
                "day-outside",
                f"{period.code} has days from {period.first_day} to {period.last_day}, and "
                "counts only what a whole day had.",
                f"Name a day from {period.first_day} to {over}, or leave it out.",
                field="/as_of",
            )
        return Window.of(period.model_copy(update={"last_day": as_of}), self.zone)


def _form(code: str, forms: Iterable[Form], on: date) -> Form:
    known = {form.code: form for form in forms}
    if code not in known:
        raise wrong(
            "unknown-form",
            f"No form of this code is in force on {on}.",
            f"Name one of these: {', '.join(sorted(known))}.",
            field="/form",
        )
    return known[code]


def _tree(unit: str, rules: RulesInForce, on: date) -> Tree:
    try:
        tree = Tree.on(on, rules.directory.directory)
    except NoUnitInForce:
        raise wrong(
            "no-unit-in-force",
            f"The directory has no unit in force on {on}.",
            "Name another day, or publish a directory that covers it.",
            field="/as_of",
        ) from None
    if unit not in tree.units:
        near = get_close_matches(unit, list(tree.units), n=1)
        raise wrong(
            "unknown-unit",
            f"The directory has no such unit in force on {on}.",
            f"Did you mean {near[0]}?" if near else f"Name one, e.g. {tree.bottom_up[-1]}.",
            field="/unit",
        )
    return tree


def _unreadable(error: ValidationError) -> CountTold:
    """Its fields by what may stand in them, where the contract's own rule does not say so."""
    problems = problems_of(error)
    return _invalid(p.model_copy(update={"advice": WRITE.get(p.field, p.advice)}) for p in problems)


def _invalid(problems: Iterable[FieldProblem]) -> CountTold:
    return CountTold(status="invalid", problems=tuple(problems))
