"""Builders for reporting's tests: a small province, a case's life, and orders to close."""

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import yaml

from services.reporting.domain.change import change
from services.reporting.domain.facet import Table, laid
from services.reporting.domain.forms import Form, Tally, fill, forms_of
from services.reporting.domain.period import Window, resolve
from services.reporting.domain.row import CaseRow
from shared.contracts import (
    ActivityRecorded,
    CaseAccepted,
    CaseAssigned,
    CaseConcluded,
    CaseJoined,
    CaseOpened,
    CaseReferred,
    CaseReopened,
    ChannelAnnounced,
    ClockStarted,
    DirectoryPublished,
    EventData,
    ReportClose,
    ReportRevise,
    RulebookPublished,
    SubmissionReceived,
)
from shared.contracts.activity import ActivityKind
from shared.contracts.case import Basis, Referral, case_id
from shared.contracts.directory import (
    Agency,
    Body,
    Directory,
    Jurisdiction,
    Label,
    Office,
    OfficeRank,
    SupervisionDecision,
    Unit,
)
from shared.contracts.envelope import AnyEvent, Event, derived_id
from shared.contracts.rulebook import ClockRule, DayKind, FormColumn, FormRule, PeriodRule, Rulebook
from shared.contracts.submission import ELIGIBLE
from shared.contracts.vocabulary import Channel, Concern, Kind, Outcome, Signatures
from shared.contracts.vocabulary import Form as Brought
from shared.runtime.arrival import Arrival

ROOT = Path(__file__).parents[1]
ZONE = ZoneInfo("Asia/Ho_Chi_Minh")
LONG_AGO = date(2018, 2, 2)

START = datetime(2025, 12, 14, 17, 0, tzinfo=UTC)
"""Local midnight at which `2026-h1` begins."""
END = datetime(2026, 6, 14, 17, 0, tzinfo=UTC)
"""Local midnight at which `2026-h1` is over."""
LAST_DAY = date(2026, 6, 14)
DAY = timedelta(days=1)
BEFORE, WITHIN, AFTER = START - DAY, START + 30 * DAY, END + DAY


def label(text: str) -> Label:
    return Label(vi=text)


def unit(code: str, parent: str | None = None, level: int = 2, **more: Any) -> Unit:
    return Unit(code=code, name=label(code), level=level, parent=parent, **more)


UNITS = (
    unit("province", level=1),
    unit("ward", "province"),
    unit("commune", "province"),
    unit("school", "ward", 3),
)


def directory(**more: Any) -> Directory:
    more.setdefault("units", UNITS)
    bodies = (
        Body(
            code="front",
            name=label("front"),
            kind="front",
            unit="province",
            jurisdictions=(Jurisdiction(unit="province"),),
        ),
    )
    return Directory(title=label("province"), bodies=bodies, fallback_body="front", **more)


def office(code: str, unit: str, **more: Any) -> Office:
    return Office(code=code, title=label(code), unit=unit, rank=OfficeRank.HEAD, **more)


def supervision(office: str, **more: Any) -> SupervisionDecision:
    return SupervisionDecision(office=office, body="front", decision="QĐ 01", **more)


def agency(code: str, unit: str, **more: Any) -> Agency:
    return Agency(code=code, unit=unit, **more)


def period_rule(code: str, first_day: str, last_day: str, **more: Any) -> PeriodRule:
    more.setdefault("effective_from", LONG_AGO)
    more.setdefault("label", label("Năm" if code == "y" else "6 tháng đầu năm"))
    return PeriodRule(
        code=code, citation="TT 01", issued=LONG_AGO, first_day=first_day, last_day=last_day, **more
    )


def clock_rule(code: str, stops: str) -> ClockRule:
    return ClockRule(
        code=code,
        citation="Điều 8",
        issued=LONG_AGO,
        effective_from=LONG_AGO,
        label=label(code),
        starts="received",
        stops=stops,
        days=10,
        day_kind=DayKind.WORKING,
    )


def form_rule(code: str, columns: Mapping[str, str], *identities: str, **more: Any) -> FormRule:
    """A form by what its columns count."""
    more.setdefault("effective_from", LONG_AGO)
    return FormRule(
        code=code,
        title=label(code),
        citation="Điều 1",
        issued=LONG_AGO,
        columns=tuple(
            FormColumn(code=name, label=label(name), counts=counts)
            for name, counts in columns.items()
        ),
        identities=identities,
        **more,
    )


VIET_NAM = yaml.safe_load(
    (ROOT / "deploy" / "packs" / "viet-nam" / "rulebook.yaml").read_text(encoding="utf-8")
)
FORM_RULES = tuple(FormRule.model_validate(each) for each in VIET_NAM["forms"])

PERIODS = (period_rule("h1", "12-15", "06-14"), period_rule("y", "12-15", "12-14"))
CLOCKS = (clock_rule("take-up", "accepted"), clock_rule("answer", "concluded"))


def rulebook(**more: Any) -> Rulebook:
    more = {"periods": PERIODS, "clocks": CLOCKS, "forms": FORM_RULES, **more}
    return Rulebook(
        title=label("rules"),
        kinds=(),
        default_kind=Kind.REFLECTION,
        categories=(),
        default_category="ethics",
        competence=(),
        conflicts=(),
        activity_forms=(),
        **more,
    )


FORMS = LETTERS, DENUNCIATIONS, SUPERVISION = forms_of(rulebook(), LAST_DAY)
"""The forms of the pack for Viet Nam: 01/XLD, 03/KQGQ and S-124."""


def window(code: str = "2026-h1") -> Window:
    period = resolve(code, PERIODS)
    assert period is not None
    return Window.of(period, ZONE)


def event(
    data: EventData,
    time: datetime = WITHIN,
    *,
    about: str = "s1",
    recorded: datetime | None = None,
    name: str = "",
) -> AnyEvent:
    return Event[type(data)](
        id=derived_id(about, data.TYPE, name),
        source="/tests",
        type=data.TYPE,
        subject=about,
        time=time,
        recordedtime=recorded or time,
        data=data,
    )


def submission_received(
    submission: str = "s1",
    time: datetime = WITHIN,
    *,
    recorded: datetime | None = None,
    **more: Any,
) -> AnyEvent:
    said = {
        "agency": "a1",
        "unit": "ward",
        "channel": Channel.HOTLINE,
        "form": Brought.TELEPHONE,
        "kind": Kind.REFLECTION,
        "category": "ethics",
        "signatures": Signatures.ONE,
        "concerns": Concern(),
        "eligibility": ELIGIBLE,
        "rulebook": 1,
        "directory": 1,
    }
    data = SubmissionReceived(**{**said, **more})
    return event(data, time, about=submission, recorded=recorded)


def case_opened(submission: str = "s1", received: datetime = WITHIN, **more: Any) -> AnyEvent:
    said = {
        "version": 1,
        "submission": submission,
        "unit": "ward",
        "channel": Channel.HOTLINE,
        "form": Brought.TELEPHONE,
        "kind": Kind.REFLECTION,
        "category": "ethics",
        "signatures": Signatures.ONE,
        "concerns": Concern(),
        "eligibility": ELIGIBLE,
        "received": received,
    }
    return event(CaseOpened(**{**said, **more}), received, about=case_id(submission))


def case_assigned(
    submission: str = "s1", time: datetime = WITHIN, *, version: int = 2, within: bool = True
) -> AnyEvent:
    data = CaseAssigned(
        version=version,
        lead="front",
        basis=Basis.SAME_LEVEL,
        within_competence=within,
        rule="same-level",
        citation="Điều 5",
        directory=1,
        rulebook=1,
    )
    return event(data, time, about=case_id(submission), name=str(version))


def clock_started(
    submission: str = "s1",
    due: date = LAST_DAY,
    *,
    clock: str = "answer",
    version: int = 3,
    time: datetime = WITHIN,
) -> AnyEvent:
    data = ClockStarted(
        version=version,
        clock=clock,
        citation="Điều 8",
        started=time,
        due=due,
        rulebook=1,
        calendar=1,
    )
    return event(data, time, about=case_id(submission), name=f"{clock}/{version}")


def case_accepted(submission: str = "s1", time: datetime = WITHIN, version: int = 4) -> AnyEvent:
    data = CaseAccepted(version=version, body="front")
    return event(data, time, about=case_id(submission))


def case_concluded(
    submission: str = "s1",
    time: datetime = WITHIN,
    *,
    version: int = 5,
    in_time: bool = True,
    times: int = 1,
    **more: Any,
) -> AnyEvent:
    more.setdefault("outcome", Outcome.RIGHT)
    data = CaseConcluded(version=version, body="front", in_time=in_time, times=times, **more)
    return event(data, time, about=case_id(submission), name=str(version))


def case_referred(way: Referral, submission: str = "s1", version: int = 5) -> AnyEvent:
    data = CaseReferred(version=version, body="front", way=way, citation="Điều 24", in_time=True)
    return event(data, WITHIN, about=case_id(submission), name=str(version))


def case_joined(submission: str = "s1", time: datetime = WITHIN, version: int = 5) -> AnyEvent:
    data = CaseJoined(version=version, body="front", into="another", citation="Điều 6")
    return event(data, time, about=case_id(submission), name=str(version))


def case_reopened(submission: str = "s1", *, version: int) -> AnyEvent:
    data = CaseReopened(version=version, body="front", citation="Điều 37")
    return event(data, WITHIN, about=case_id(submission), name=str(version))


def activity_recorded(
    activity: str = "act1",
    kind: ActivityKind = ActivityKind.DIRECT,
    held: date = LAST_DAY,
    **more: Any,
) -> AnyEvent:
    more.setdefault("unit", "ward")
    return event(ActivityRecorded(agency="a1", kind=kind, held=held, **more), about=activity)


def channel_announced(
    agency: str = "a1", channel: Channel = Channel.MAILBOX, published: date = LAST_DAY
) -> AnyEvent:
    data = ChannelAnnounced(agency=agency, unit="ward", channel=channel, published=published)
    return event(data, about=agency, name=f"{channel}/{published}")


def case_rows(events: Iterable[AnyEvent]) -> list[CaseRow]:
    rows = laid(change(each) for each in events)
    return [CaseRow.of(key, row) for (table, key), row in rows.items() if table is Table.CASE]


def case_row(*events: AnyEvent) -> CaseRow:
    [row] = case_rows(events)
    return row


def count(form: Form, tally: Tally, unit: str = "ward") -> dict[str, int]:
    """The figures of one unit that are not zero, by column."""
    cells = fill(form, tally).get(unit, [0] * len(form.columns))
    return {column: figure for column, figure in form.named(cells).items() if figure}


def cases_counted(form: Form, events: Sequence[AnyEvent], code: str = "2026-h1") -> dict[str, int]:
    """What cases make of the ward's figures, those that are not zero."""
    tally = Tally(window(code), frozenset({"take-up"}))
    for row in case_rows(events):
        tally.add_case(row)
    return count(form, tally)


def directory_published(version: int = 1, **more: Any) -> AnyEvent:
    data = DirectoryPublished(version=version, directory=directory(**more))
    return event(data, about=f"directory-{version}")


def rulebook_published(version: int = 1, **more: Any) -> AnyEvent:
    data = RulebookPublished(version=version, rulebook=rulebook(**more))
    return event(data, about=f"rulebook-{version}")


def revise(period: str = "2026-h1", **more: Any) -> Arrival:
    more = {"command": "order-r", "sequence": 50, "type_": ReportRevise.TYPE, **more}
    return close(period, **more)


def close(period: str = "2026-h1", *, force: bool = False, **more: Any) -> Arrival:
    """An operator's order, as it lay in the stream."""
    more = {
        "party": "operator",
        "command": "order-1",
        "sequence": 1,
        "type_": ReportClose.TYPE,
        **more,
    }
    said = {"period": period, **({"force": True} if force else {})}
    content = {
        "specversion": "1.0",
        "id": more["command"],
        "source": "/operator",
        "type": more["type_"],
        "time": "2026-06-20T08:00:00+07:00",
        "data": said,
    }
    return sent(
        json.dumps(content).encode(),
        party=more["party"],
        sequence=more["sequence"],
        type_=more["type_"],
    )


def sent(
    body: bytes,
    *,
    party: str = "operator",
    type_: str = ReportClose.TYPE,
    sequence: int = 1,
) -> Arrival:
    recorded = datetime(2026, 6, 20, 1, 0, tzinfo=UTC) + timedelta(seconds=sequence)
    return Arrival("command", party, type_, body, sequence, recorded)
