"""A difference in words, in Vietnamese and English."""

from collections.abc import Iterator, Mapping

from deploy.calendar.comparing import Day, Difference
from deploy.calendar.proposing import PACKAGE, Proposed
from shared.contracts.directory import Label

NOTE = Label(
    vi="Ngày làm việc hoán đổi do cơ quan có thẩm quyền quyết định hằng năm, không thư viện nào "
    "biết trước: hãy đối chiếu với thông báo nghỉ lễ, Tết. Chưa công bố gì.",
    en="Swapped working days are decreed each year, and no package knows them before: compare "
    "with the decree. Nothing was published.",
)
HEADINGS: Mapping[str, Label] = {
    "added": Label(
        vi="Ngày nghỉ được đề xuất mà lịch chưa có", en="Proposed days off that the calendar lacks"
    ),
    "missing": Label(
        vi="Ngày nghỉ có trong lịch mà đề xuất không có",
        en="Days off in the calendar that the proposal lacks",
    ),
    "disagree": Label(
        vi="Ngày nghỉ hằng tuần mà hai bên ghi khác nhau về việc làm bù",
        en="Days of weekly rest that one of them says are worked",
    ),
}
UNCOVERED = Label(vi="Lịch chưa có năm {year}", en="The calendar does not cover {year}")
NO_DIFFERENCE = Label(vi="Không có khác biệt", en="No difference")
WEEKDAYS = (
    Label(vi="thứ Hai", en="Monday"),
    Label(vi="thứ Ba", en="Tuesday"),
    Label(vi="thứ Tư", en="Wednesday"),
    Label(vi="thứ Năm", en="Thursday"),
    Label(vi="thứ Sáu", en="Friday"),
    Label(vi="thứ Bảy", en="Saturday"),
    Label(vi="Chủ nhật", en="Sunday"),
)
WORKED = Label(vi="lịch: làm việc; đề xuất: nghỉ", en="calendar: worked; proposal: rest")
RESTED = Label(vi="lịch: nghỉ; đề xuất: làm việc", en="calendar: rest; proposal: worked")


def lines(proposal: Proposed, difference: Difference, against: Label) -> Iterator[str]:
    """What is proposed against what, day by day, and that a person has to look."""
    title = f"{proposal.country} {proposal.year} ({PACKAGE})"
    yield f"{title}: {against.vi} / {against.en}"
    if not difference.covered:
        year = proposal.year
        yield both(
            Label(vi=UNCOVERED.vi.format(year=year), en=(UNCOVERED.en or "").format(year=year))
        )
    parts = {name: getattr(difference, name) for name in HEADINGS}
    for name, days in parts.items():
        if days:
            yield f"{both(HEADINGS[name])}:"
            yield from (f"  {in_words(day)}" for day in days)
    if not any(parts.values()):
        yield both(NO_DIFFERENCE)
    yield NOTE.vi
    yield NOTE.en or ""


def in_words(day: Day) -> str:
    """The day, its weekday, and its name; of a day of rest without one, who says it is worked."""
    weekday = WEEKDAYS[day.day.weekday()]
    name = day.proposed or day.standing or (WORKED if day.worked else RESTED)
    return f"{day.day.isoformat()} ({both(weekday)}): {both(name)}"


def both(label: Label) -> str:
    return f"{label.vi} / {label.en}" if label.en else label.vi
