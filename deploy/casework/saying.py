"""A case as a clerk reads it: what it is, who leads it and why, its terms, its life."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, tzinfo
from typing import Any

from nats.aio.client import Client

from deploy.casework.words import OTHERWISE, STEPS, WORDS, letter_in_words
from deploy.connection import latest, latest_directory
from shared.contracts import (
    CATALOGUE,
    CaseAmended,
    CaseAssigned,
    CaseConcluded,
    RulebookPublished,
)
from shared.contracts.case import Exclusion, Reason
from shared.contracts.directory import Label
from shared.contracts.envelope import AnyEvent, Event
from shared.contracts.worklist import CaseTold


@dataclass(frozen=True, slots=True)
class Names:
    """Labels by code; what has none is called by its code."""

    bodies: Mapping[str, Label] = field(default_factory=dict)
    units: Mapping[str, Label] = field(default_factory=dict)
    clocks: Mapping[str, Label] = field(default_factory=dict)
    categories: Mapping[str, Label] = field(default_factory=dict)
    exceptions: Mapping[str, Label] = field(default_factory=dict)
    """Grounds on which a withdrawn case is settled all the same."""

    @classmethod
    async def of(cls, client: Client) -> "Names":
        """Of the latest directory and rulebook."""
        published = await latest_directory(client.jetstream())
        event = await latest(client.jetstream(), RulebookPublished)
        directory = published.directory if published else None
        rulebook = event.data.rulebook if event else None
        return cls(
            bodies={entry.code: entry.name for entry in directory.bodies} if directory else {},
            units={entry.code: entry.name for entry in directory.units} if directory else {},
            clocks={rule.code: rule.label for rule in rulebook.clocks} if rulebook else {},
            categories={rule.code: rule.label for rule in rulebook.categories} if rulebook else {},
            exceptions={e.code: e.label for rule in rulebook.withdrawals for e in rule.exceptions}
            if rulebook
            else {},
        )

    def body(self, code: str, language: str) -> str:
        return _name(self.bodies, code, language)


@dataclass(frozen=True, slots=True)
class Explainer:
    """Says a case in one language (`vi` or `en`); days are those of `zone`."""

    names: Names
    language: str
    zone: tzinfo

    def lines(self, told: CaseTold) -> Iterator[str]:
        """The case, line by line; `told` has its whole history.

        A citation is what a body wrote: nothing in it reaches a terminal but letters.
        """
        for line in self._lines(told):
            yield "".join(letter for letter in line if letter.isprintable())

    def _lines(self, told: CaseTold) -> Iterator[str]:
        events = [_event(each) for each in told.events]
        yield from self._facts(told, events)
        for event in events:
            if isinstance(event.data, CaseAssigned):
                yield from self._assignment(event.data, event.time)
        yield from self._section("barred", (self._exclusion(e) for e in told.excluded))
        yield from self._section("terms", self._terms(told))
        # Two terms that ended while a sweep was away are told in the order of the terms.
        happened = sorted(events, key=lambda event: event.time)
        yield from self._section("steps", (self._step(event) for event in happened))

    def _facts(self, told: CaseTold, events: list[AnyEvent]) -> Iterator[str]:
        row = told.row
        if row is None:
            return
        opened = next((event.data for event in events if event.type == "case.opened.v1"), None)
        yield f"{self._word('case')} {row.case}"
        facts = {
            "received": self._moment(row.received),
            "kind": self._word(row.kind.value),
            "category": self._name(self.names.categories, row.category),
            "unit": self._name(self.names.units, row.unit),
            "channel": self._word(opened.channel.value) if opened else "",
            "stage": self._word(row.stage),
            "letter-became": letter_in_words(row, self.language),
            "lead": self._body(row.lead),
            "co-operating": ", ".join(map(self._body, told.cooperating)),
        }
        for name, said in facts.items():
            if said:
                yield f"  {self._word(name)}: {said}"

    def _assignment(self, data: CaseAssigned, at: datetime) -> Iterator[str]:
        yield ""
        why = self._word(f"why-{data.why.value}")
        yield f"{self._word('assignment')} ({self._moment(at)}, {why})"
        yield f"  {self._word('lead')}: {self._body(data.lead)}"
        for reason in data.reasons:
            yield f"  - {self._reason(reason)}"
        if not data.reasons and data.citation:
            yield f"  - {data.citation}"
        for exclusion in data.excluded:
            if exclusion.reason is not None:
                yield f"  - {self._reason(exclusion.reason)}"

    def _exclusion(self, exclusion: Exclusion) -> str:
        if exclusion.reason is None:
            return f"{self._body(exclusion.body)}: {exclusion.rule}"
        return self._reason(exclusion.reason)

    def _terms(self, told: CaseTold) -> Iterator[str]:
        for term in told.terms:
            name = self._name(self.names.clocks, term.clock)
            until = self._word("until").format(day=self._day(term.due))
            standing = self._word(f"clock-{term.standing}")
            yield f"{name}: {until}, {standing} ({term.citation})"

    def _step(self, event: AnyEvent) -> str:
        template = STEPS.get(event.type, {}).get(self.language, OTHERWISE)
        said = {name: self._part(name, value) for name, value in event.data}
        if event.type == "case.concluded.v1":
            said["in_time"] = "; ".join(self._concluded(event.data))
        if event.type == "case.withdrawn.v1":
            said["asked"] = self._day(event.data.asked.astimezone(self.zone).date())
            said["goes_on"] = self._going_on(event.data.goes_on)
        step = template.format(type=event.type, **said)
        if isinstance(event.data, CaseAmended):
            for name in ("taken_from", "learnt_from"):
                if case := getattr(event.data, name):
                    step = self._word(name.replace("_", "-")).format(case=case, step=step)
        return f"{self._moment(event.time)}  {step}"

    def _going_on(self, exception: str | None) -> str:
        if exception is None:
            return self._word("discontinued")
        label = self._name(self.names.exceptions, exception)
        return self._word("goes-on").format(exception=label)

    def _concluded(self, data: CaseConcluded) -> Iterator[str]:
        yield self._word("in-time" if data.in_time else "not-in-time")
        for name in ("recovered", "sanctions"):
            if number := getattr(data, name):
                yield self._word(name).format(number=self._number(number))

    def _number(self, number: int) -> str:
        return f"{number:,}".replace(",", ".") if self.language == "vi" else f"{number:,}"

    def _part(self, name: str, value: object) -> str:
        match name, value:
            case "lead" | "body" | "second_body", str():
                return self._body(value)
            case "clock", str():
                return self._name(self.names.clocks, value)
            case "ground", str() if f"ground-{value}" not in WORDS:
                return value
            case "why" | "ground" | "unseals" | "outcome" | "way" | "following", str():
                return self._word(f"{name}-{value}")
            case "parts", tuple():
                return ", ".join(f"{self._word(part.kind.value)} ({part.case})" for part in value)
            case _, date() if not isinstance(value, datetime):
                return self._day(value)
            case _:
                return str(value)

    def _section(self, heading: str, lines: Iterator[str]) -> Iterator[str]:
        found = list(lines)
        if found:
            yield ""
            yield self._word(heading)
            yield from (f"  - {line}" for line in found)

    def _word(self, name: str) -> str:
        return WORDS[name][self.language]

    def _reason(self, reason: Reason) -> str:
        return reason.vi if self.language == "vi" else reason.en

    def _body(self, code: str) -> str:
        return self._name(self.names.bodies, code)

    def _name(self, names: Mapping[str, Label], code: str) -> str:
        return _name(names, code, self.language)

    def _day(self, day: date) -> str:
        return f"{day:%d/%m/%Y}" if self.language == "vi" else day.isoformat()

    def _moment(self, at: datetime) -> str:
        local = at.astimezone(self.zone)
        return f"{self._day(local.date())} {local:%H:%M}"


def _name(names: Mapping[str, Label], code: str, language: str) -> str:
    label = names.get(code)
    if label is None:
        return code
    return label.vi if language == "vi" else label.en or label.vi


def _event(content: dict[str, Any]) -> AnyEvent:
    contract = CATALOGUE[content["type"]]
    return Event[contract].model_validate(content)  # type: ignore[valid-type]
