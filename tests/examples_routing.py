"""Builders for routing's tests: a small province, its rules, and what arrives."""

from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from services.routing.domain.calendar import WorkingDays
from services.routing.domain.directory import DirectoryIndex
from services.routing.domain.matter import Matter
from services.routing.domain.rules import RulesInForce
from shared.contracts import (
    CalendarPublished,
    CaseAccept,
    CaseConclude,
    DirectoryPublished,
    EventData,
    RulebookPublished,
    SubmissionReceived,
)
from shared.contracts.directory import (
    Agency,
    Body,
    Directory,
    Holding,
    Jurisdiction,
    Label,
    Office,
    OfficeRank,
    Unit,
)
from shared.contracts.envelope import AnyEvent, Event
from shared.contracts.rulebook import (
    Calendar,
    ClockRule,
    CompetenceMethod,
    CompetenceRule,
    ConflictMethod,
    ConflictRule,
    DayKind,
    Holiday,
    Rulebook,
)
from shared.contracts.vocabulary import Channel, Concern, Form, Kind, Outcome, Signatures
from shared.runtime.arrival import Arrival

ZONE = ZoneInfo("Asia/Ho_Chi_Minh")
NOON = datetime(2026, 3, 10, 5, 0, tzinfo=UTC)
"""Tuesday, noon in Vietnam."""
TODAY = date(2026, 3, 10)
LONG_AGO = date(2018, 2, 2)

REGULATION = "Quy định 124-QĐ/TW ngày 02/02/2018"


def label(text: str) -> Label:
    return Label(vi=text)


def unit(code: str, parent: str | None = None, level: int = 3, **more: Any) -> Unit:
    return Unit(code=code, name=label(code), level=level, parent=parent, **more)


def office(code: str, unit: str, rank: OfficeRank = OfficeRank.HEAD, **more: Any) -> Office:
    return Office(code=code, title=label(code), unit=unit, rank=rank, **more)


def body(code: str, unit: str, *, within: str | None = None, **more: Any) -> Body:
    """A body that looks into everything within its own unit."""
    more.setdefault("jurisdictions", (Jurisdiction(unit=within or unit),))
    return Body(code=code, name=label(code), kind="front", unit=unit, **more)


UNITS = (
    unit("province", level=1),
    unit("ward", "province", 2),
    unit("school", "ward", 3),
    unit("clinic", "ward", 3),
)
OFFICES = (
    office("province-chair", "province"),
    office("ward-chair", "ward"),
    office("ward-deputy", "ward", OfficeRank.DEPUTY),
    office("school-head", "school"),
)
BODIES = (
    body("province-front", "province", members=("province-chair",)),
    body("ward-front", "ward", members=("ward-chair",)),
    body("inspectorate", "province", within="clinic"),
)


def directory(**more: Any) -> Directory:
    content: dict[str, Any] = {
        "title": label("Tỉnh mẫu"),
        "units": UNITS,
        "agencies": (Agency(code="school-agency", unit="school"),),
        "bodies": BODIES,
        "offices": OFFICES,
        "holdings": (Holding(person="p1", office="school-head"),),
        "fallback_body": "province-front",
    }
    return Directory(**{**content, **more})


def index(**more: Any) -> DirectoryIndex:
    return DirectoryIndex(directory(**more))


COMPETENCE = CompetenceRule(
    code="same-level",
    citation=REGULATION,
    issued=LONG_AGO,
    effective_from=LONG_AGO,
    label=label("Cùng cấp"),
    method=CompetenceMethod.SAME_LEVEL_THEN_UP,
)
CONFLICT = ConflictRule(
    code="sits-in-body",
    citation=REGULATION,
    issued=LONG_AGO,
    effective_from=LONG_AGO,
    label=label("Người bị phản ánh là thành viên"),
    method=ConflictMethod.ACCUSED_SITS_IN_BODY,
)


def clock_rule(code: str = "answer", **more: Any) -> ClockRule:
    content: dict[str, Any] = {
        "code": code,
        "citation": REGULATION,
        "issued": LONG_AGO,
        "effective_from": LONG_AGO,
        "label": label("Trả lời"),
        "starts": "assigned",
        "stops": "concluded",
        "days": 20,
        "day_kind": DayKind.WORKING,
    }
    return ClockRule(**{**content, **more})


CLOCKS = (clock_rule(), clock_rule("acknowledge", starts="received", stops="accepted", days=10))


def rulebook(**more: Any) -> Rulebook:
    content: dict[str, Any] = {
        "title": label("Bộ quy tắc mẫu"),
        "kinds": (),
        "default_kind": Kind.REFLECTION,
        "categories": (),
        "default_category": "other",
        "competence": (COMPETENCE,),
        "conflicts": (CONFLICT,),
        "clocks": CLOCKS,
        "activity_forms": (),
        "periods": (),
    }
    return Rulebook(**{**content, **more})


def calendar(**more: Any) -> Calendar:
    """2025 and 2026: Liberation Day and May Day with the swap of 2025."""
    days = [date(year, month, day) for year in (2025, 2026) for month, day in ((4, 30), (5, 1))]
    content: dict[str, Any] = {
        "title": label("Lịch làm việc"),
        "citation": "Kế hoạch nghỉ lễ năm 2025",
        "first_year": 2025,
        "last_year": 2026,
        "holidays": tuple(
            Holiday(day=day, name=label("Nghỉ lễ")) for day in (*days, date(2025, 5, 2))
        ),
        "swapped": (date(2025, 4, 26),),
    }
    return Calendar(**{**content, **more})


def matter(**more: Any) -> Matter:
    """A reflection on the school's head that came through the school's own channel."""
    content: dict[str, Any] = {
        "kind": Kind.REFLECTION,
        "category": "ethics",
        "unit": "school",
        "concerns": (Concern(office="school-head"),),
        "acted": TODAY,
    }
    return Matter(**{**content, **more})


def rules_in_force(**more: Any) -> RulesInForce:
    content: dict[str, Any] = {
        "directory": index(),
        "directory_version": 3,
        "rulebook": rulebook(),
        "rulebook_version": 5,
        "working_days": WorkingDays(calendar()),
        "calendar_version": 7,
    }
    return RulesInForce(**{**content, **more})


def event(data: EventData, *, item: str, subject: str | None, time: datetime = NOON) -> AnyEvent:
    shape = Event[type(data)]  # type: ignore[misc]
    return shape(id=item, source="/test", type=data.TYPE, subject=subject, time=time, data=data)


def submission_received(
    name: str = "s1", time: datetime = NOON, **more: Any
) -> Event[SubmissionReceived]:
    content: dict[str, Any] = {
        "agency": "school-agency",
        "unit": "school",
        "channel": Channel.MAILBOX,
        "form": Form.EMAIL,
        "kind": Kind.REFLECTION,
        "category": "ethics",
        "signatures": Signatures.OTHER,
        "concerns": Concern(office="school-head"),
        "eligibility": "eligible",
        "rulebook": 5,
        "directory": 3,
    }
    data = SubmissionReceived(**{**content, **more})
    return event(data, item=f"event-{name}", subject=name, time=time)


def published(data: DirectoryPublished | RulebookPublished | CalendarPublished) -> AnyEvent:
    return event(data, item=f"{data.TYPE}-{data.version}", subject="instance")


def accept(case: str, *, item: str = "c-accept", time: datetime = NOON) -> AnyEvent:
    return event(CaseAccept(), item=item, subject=case, time=time)


def conclude(
    case: str,
    *,
    item: str = "c-conclude",
    time: datetime = NOON,
    outcome: Outcome = Outcome.RIGHT,
) -> AnyEvent:
    return event(CaseConclude(outcome=outcome), item=item, subject=case, time=time)


def sent(
    command: AnyEvent | bytes,
    sequence: int,
    *,
    party: str = "ward-front",
    kind: str | None = None,
    recorded: datetime = NOON + timedelta(hours=1),
) -> Arrival:
    """The command as it lay in its stream, an hour past noon unless said otherwise."""
    body = command if isinstance(command, bytes) else command.encode()
    kind = kind or (CaseAccept.TYPE if isinstance(command, bytes) else command.type)
    return Arrival(
        entrance="command",
        party=party,
        type=kind,
        body=body,
        sequence=sequence,
        recorded=recorded,
    )
