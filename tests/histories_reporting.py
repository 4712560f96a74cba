"""Histories as routing and intake could have told them: whole lives of cases, late and corrected.

Every version of a case once and in order; each event recorded when it happened or later. Which
acts a stage allows is routing's own table, told again in short.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from hypothesis import strategies as st

from shared.contracts import (
    CaseAmended,
    CaseDeclined,
    CaseDivided,
    CaseJoined,
    CaseReferred,
    CaseReopened,
    CaseWithdrawn,
    ClockRestated,
    SubmissionRated,
)
from shared.contracts.activity import ActivityKind
from shared.contracts.case import Ground, Part, Referral, Restating, case_id, part_id
from shared.contracts.envelope import AnyEvent
from shared.contracts.vocabulary import Channel, Kind, Outcome, Signatures
from tests.examples_reporting import (
    BEFORE,
    DAY,
    END,
    LAST_DAY,
    LONG_AGO,
    START,
    UNITS,
    WITHIN,
    activity_recorded,
    agency,
    case_accepted,
    case_assigned,
    case_concluded,
    case_opened,
    channel_announced,
    clock_started,
    directory,
    event,
    office,
    submission_received,
    supervision,
    unit,
)

MERGED = unit("merged", "commune", 3, valid_from=LONG_AGO, valid_to=LAST_DAY)
"""Ends on the period's last day: what is of it counts at the commune."""
THERE = directory(
    units=(*UNITS, MERGED),
    agencies=(agency("a1", "ward"), agency("a2", "school"), agency("a3", "merged")),
    offices=(office("chair", "ward"), office("head", "school"), office("clerk", "merged")),
    supervisions=(
        supervision("chair"),
        supervision("chair", valid_from=LONG_AGO),
        supervision("clerk"),
        supervision("head", valid_to=LAST_DAY),
    ),
)
NAMED = ("province", "ward", "commune", "school", "merged", "nobody-knows")

SECOND = timedelta(seconds=1)
INSTANTS = (
    BEFORE - 300 * DAY,
    *(at + shift for at in (START, END) for shift in (-SECOND, 0 * DAY, SECOND)),
    *(WITHIN + days * DAY for days in (0, 1, 50)),
    *(END + days * DAY for days in (1, 100)),
)
RECEIVED = (*INSTANTS, *(at for at in INSTANTS if at < END))
LATENESS = (0 * DAY, 0 * DAY, SECOND, 30 * DAY, 250 * DAY)
CLOSED = (END + timedelta(hours=1), END + 60 * DAY, END + 400 * DAY)
"""When the period is closed, and when it is counted again."""


def late(draw: Callable[..., Any], at: datetime) -> datetime:
    """When it was recorded: some time after, or at the very moment of a count."""
    if draw(st.integers(0, 4)):
        return at + draw(st.sampled_from(LATENESS))
    return min((closed for closed in CLOSED if closed >= at), default=at)


class Life:
    """One case as it is told, event by event, with the version and moment of each."""

    def __init__(self, draw: Callable[..., Any], case: str, received: datetime) -> None:
        self.draw, self.case = draw, case
        self.at = self.recorded = received
        self.version, self.times = 0, 0
        self.accepted = self.ever_accepted = self.over = self.joined = False
        self.due: set[str] = set()
        self.events: list[AnyEvent] = []

    def tell(self, example: AnyEvent | None = None, data: Any = None) -> None:
        """Whatever the example is about, told as the next of this case."""
        content = example.data if example else data
        self.version += 1
        content = content.model_copy(update={"version": self.version})
        self.recorded = max(self.recorded, late(self.draw, self.at))
        said = event(
            content, self.at, about=self.case, recorded=self.recorded, name=f"v{self.version}"
        )
        self.events.append(said)

    def open(self, opened: AnyEvent) -> None:
        self.tell(opened)
        self.assign()
        if opened.data.eligibility == "eligible":
            for clock in ("take-up", "answer"):
                self.start(clock)

    def assign(self, *, accepted: bool = False) -> None:
        data = case_assigned(within=self.draw(st.booleans())).data
        self.tell(data=data.model_copy(update={"accepted": accepted}))
        self.accepted = accepted

    def start(self, clock: str) -> None:
        self.tell(clock_started(clock=clock, due=self._a_day()))
        self.due.add(clock)

    def wait(self) -> None:
        """For a second, as a rule: else few lives would be half lived when a period ends."""
        if self.draw(st.integers(0, 2)):
            self.at += SECOND
            return
        later = [at for at in INSTANTS if at >= self.at]
        if later:
            self.at = self.draw(st.sampled_from(later))

    def act(self) -> None:
        self.wait()
        self.draw(st.sampled_from(self._allowed()))()

    def well_trodden(self) -> None:
        """A way that chance alone takes too seldom, up to some point of it."""
        again = (self.accept, self.conclude, self.reopen, self.conclude)
        back = (self.accept, self.transfer, self.transfer)
        way = self.draw(st.sampled_from([(), again, back]))
        for step in way[: self.draw(st.integers(0, 4))]:
            self.wait()
            step()

    def _allowed(self) -> list[Callable[[], None]]:
        if self.over:
            return [self.reopen]
        other = [self.decline, self.refer, self.join, self.restate, self.amend]
        if self.accepted:
            return [self.withdraw, *[self.conclude] * 6, *[self.transfer] * 3, *other]
        return [*[self.accept] * 6, *[self.transfer] * 2, *other]

    def accept(self) -> None:
        self.tell(case_accepted())
        self.accepted = self.ever_accepted = True

    def decline(self) -> None:
        ground = self.draw(st.sampled_from(Ground))
        self.tell(data=CaseDeclined(version=1, body="front", ground=ground, citation="Điều 5"))
        self.assign()

    def transfer(self) -> None:
        """To another, or back to one that had accepted it."""
        self.assign(accepted=self.ever_accepted and self.draw(st.booleans()))

    def amend(self) -> None:
        self.tell(data=CaseAmended(version=1, body="front", concerns=()))

    def restate(self) -> None:
        if self.due:
            clock = self.draw(st.sampled_from(sorted(self.due)))
            self.tell(
                data=ClockRestated(
                    version=1,
                    clock=clock,
                    citation="Điều 8",
                    due_before=LAST_DAY,
                    due=self._a_day(),
                    why=Restating.EXTENSION,
                    rulebook_before=1,
                    rulebook=1,
                    calendar_before=1,
                    calendar=1,
                )
            )

    def conclude(self, outcome: Outcome | None = None) -> None:
        self.times += 1
        self.tell(
            case_concluded(
                in_time=self.draw(st.booleans()),
                times=self.times,
                outcome=outcome or self.draw(st.sampled_from(Outcome)),
                recovered=self.draw(st.sampled_from([0, 15_000_000])),
                sanctions=self.draw(st.integers(0, 2)),
            )
        )
        self.over = True

    def withdraw(self) -> None:
        self.tell(
            data=CaseWithdrawn(
                version=1, body="front", asked=self.at, rule="withdrawn", citation="Điều 33"
            )
        )
        if self.draw(st.booleans()):
            self.conclude(Outcome.WITHDRAWN)

    def refer(self) -> None:
        way, in_time = self.draw(st.sampled_from(Referral)), self.draw(st.booleans())
        self.tell(
            data=CaseReferred(version=1, body="front", way=way, citation="Điều 24", in_time=in_time)
        )
        self.over = True

    def join(self) -> None:
        self.tell(data=CaseJoined(version=1, body="front", into="another", citation="Điều 6"))
        self.over = self.joined = True

    def reopen(self) -> None:
        self.tell(data=CaseReopened(version=1, body="front", citation="Điều 37"))
        self.over = self.joined = False

    def _a_day(self) -> Any:
        return LAST_DAY + self.draw(st.sampled_from([-90, -1, 0, 1, 90])) * DAY


@st.composite
def lives(draw: Any, name: str) -> list[AnyEvent]:
    """A letter from its receipt on, with the part that may be split from it, and its rating."""
    received = draw(st.sampled_from(RECEIVED))
    said = {
        "unit": draw(st.sampled_from(NAMED)),
        "kind": draw(st.sampled_from([Kind.DENUNCIATION, Kind.DENUNCIATION, *Kind])),
        "signatures": draw(st.sampled_from(Signatures)),
        "eligibility": draw(st.sampled_from(["eligible", "eligible", "stored-anonymous"])),
    }
    first = Life(draw, case_id(name), received)
    kept = late(draw, received)
    told = [submission_received(name, received, recorded=kept, **said)]
    first.recorded = kept
    first.open(case_opened(name, received, **said))
    first.well_trodden()
    for _ in range(draw(st.integers(0, 5))):
        first.act()
    told += first.events
    if draw(st.booleans()) and not first.over:
        told += _split(draw, first, name, received, said)
    if first.times and draw(st.booleans()):
        rated = draw(st.sampled_from(INSTANTS))
        score = SubmissionRated(score=draw(st.integers(1, 5)))
        told.append(event(score, rated, about=name, recorded=max(late(draw, rated), kept)))
    return told


def _split(
    draw: Any, first: Life, name: str, received: datetime, said: dict[str, Any]
) -> list[AnyEvent]:
    """A part is told as of the letter's receipt, and recorded when it was split off."""
    kind = draw(st.sampled_from([kind for kind in Kind if kind is not said["kind"]]))
    part = Life(draw, part_id(first.case, kind), received)
    first.wait()
    parts = (Part(case=part.case, kind=kind),)
    before = len(first.events)
    first.tell(data=CaseDivided(version=1, body="front", parts=parts, citation="Điều 6"))
    part.recorded = first.recorded
    opened = case_opened(name, received, **{**said, "kind": kind}, parent=first.case)
    part.open(opened)
    part.at = first.at
    for _ in range(draw(st.integers(0, 3))):
        part.act()
    return [*first.events[before:], *part.events]


@st.composite
def activities(draw: Any, name: str) -> list[AnyEvent]:
    """A record, and perhaps its correction: another unit, day or number."""
    told = []
    for number in range(draw(st.integers(1, 2))):
        said = activity_recorded(
            name,
            draw(st.sampled_from(ActivityKind)),
            LAST_DAY + draw(st.sampled_from([-400, -1, 0, 1])) * DAY,
            unit=draw(st.sampled_from(NAMED)),
            participants=draw(st.integers(0, 9)),
            opinions_received=draw(st.integers(0, 9)),
            opinions_accepted=draw(st.integers(0, 9)),
        )
        at = late(draw, draw(st.sampled_from(INSTANTS)))
        told.append(event(said.data, at, about=name, name=str(number)))
    return told


@st.composite
def channels(draw: Any) -> list[AnyEvent]:
    told = []
    for number in range(draw(st.integers(0, 4))):
        at = late(draw, draw(st.sampled_from(INSTANTS)))
        said = channel_announced(
            draw(st.sampled_from(["a1", "a2", "a3"])),
            draw(st.sampled_from(Channel)),
            LAST_DAY + draw(st.sampled_from([-90, 0, 1])) * DAY,
        )
        told.append(event(said.data, at, about=f"channel-{number}"))
    return told


@st.composite
def histories(draw: Any) -> list[AnyEvent]:
    told = [e for n in range(draw(st.integers(0, 4))) for e in draw(lives(f"s{n}"))]
    told += [e for n in range(draw(st.integers(0, 3))) for e in draw(activities(f"act{n}"))]
    return told + draw(channels())
