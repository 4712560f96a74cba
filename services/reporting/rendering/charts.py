"""Charts as SVG: told apart by pattern, mark and word, never by colour alone."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

from services.reporting.rendering.heads import paths
from services.reporting.rendering.markup import Markup, joined, tag
from services.reporting.rendering.words import Language, figure, said, word
from shared.contracts.report import ReportPublished


@dataclass(frozen=True, slots=True)
class Choice:
    """What is drawn of a form. `title` is a key of `WORDS`, the rest are columns' codes."""

    title: str
    parts: tuple[str, ...]
    trend: tuple[str, ...]


CHOICES = {
    "01-xld": Choice("kinds", ("11", "12", "13"), ("1", "9", "14")),
    "03-kqgq": Choice("outcomes", ("5", "6", "7", "8", "9"), ("1", "4", "14")),
    "s-124": Choice(
        "punctual",
        ("answered-in-time", "answered-late", "open"),
        ("received", "answered-in-time", "answered-late"),
    ),
}
"""By form; of others nothing is drawn."""

FEWEST_PERIODS = 3
"""Of a trend; two are a comparison."""

WIDTH = 560
_BAR, _TEXT, _STEP = 16, 13, 44
_LONGEST = WIDTH - 90
_MARGIN, _PANEL, _HEIGHT = 40, 110, 56
_DASHES = (None, "7 4", "2 3")


@dataclass(frozen=True, slots=True)
class Bar:
    label: str
    value: int | None
    pattern: int


def charts_of(
    report: ReportPublished, others: Sequence[ReportPublished], language: Language
) -> tuple[Markup, ...]:
    """By parts; against the year before and over the periods, where `others` has these.

    Of `others` only those of the same form, unit, edition and kind of period are read, the newest
    revision of each: a public page never shows what only an internal report says.
    """
    choice = CHOICES.get(report.form)
    if choice is None or not {*choice.parts, *choice.trend} <= {c.code for c in report.columns}:
        return ()
    reader = _Reader(report, language)
    line = _line(report, others)
    drawn = [_parts(reader, choice)]
    before = next((r for r in line if _year(r) == _year(report) - 1), None)
    if before is not None:
        drawn.append(_comparison(reader, before, choice))
    if len(line) >= FEWEST_PERIODS:
        drawn.append(_trend(reader, line, choice))
    return tuple(drawn)


def _year(report: ReportPublished) -> int:
    return int(report.period.code.partition("-")[0])


def _line(report: ReportPublished, others: Sequence[ReportPublished]) -> list[ReportPublished]:
    """The report and those before it on the same line of periods, oldest first."""

    def kin(other: ReportPublished) -> tuple[str, ...]:
        kind = other.period.code.partition("-")[2]
        return (other.form, other.unit, other.edition.value, kind)

    before = [r for r in others if kin(r) == kin(report) and _year(r) < _year(report)]
    before.sort(key=lambda r: (_year(r), r.revision))
    return [[*group][-1] for _, group in groupby(before, key=_year)] + [report]


class _Reader:
    """Finds words and figures by a column's code, and names that are nobody else's on a page."""

    def __init__(self, report: ReportPublished, language: Language) -> None:
        self.report = report
        self.language = language
        found = paths(report.columns, language)
        self.words = {c.code: path[-1] for c, path in zip(report.columns, found, strict=True)}
        self.labels = {c.code: said(c.label, language) for c in report.columns}
        self.name = f"r{report.digest[:12]}"

    def value(self, report: ReportPublished, code: str) -> int | None:
        codes = [column.code for column in report.columns]
        return report.totals[codes.index(code)] if code in codes else None

    def figure(self, value: int | None) -> str:
        return figure(value, self.language)

    def sentence(self, bars: Sequence[Bar]) -> str:
        return "; ".join(f"{bar.label}: {self.figure(bar.value)}" for bar in bars)


def _parts(reader: _Reader, choice: Choice) -> Markup:
    bars = [
        Bar(reader.words[code], reader.value(reader.report, code), place)
        for place, code in enumerate(choice.parts)
    ]
    return _bars(reader, word(choice.title, reader.language), bars, "parts")


def _comparison(reader: _Reader, before: ReportPublished, choice: Choice) -> Markup:
    bars = [
        Bar(f"{reader.words[code]}, {_year(each)}", value, place)
        for code in choice.parts
        for place, each in enumerate((reader.report, before))
        for value in [reader.value(each, code)]
    ]
    return _bars(reader, word("year-before", reader.language), bars, "year")


def _bars(reader: _Reader, title: str, bars: Sequence[Bar], name: str) -> Markup:
    most = max((bar.value or 0 for bar in bars), default=0) or 1
    name = f"{reader.name}-{name}"
    drawn = [_patterns(name)]
    for place, bar in enumerate(bars):
        top = place * _STEP + _TEXT + 4
        length = round((bar.value or 0) / most * _LONGEST, 1)
        drawn += [
            _text(0, top - 4, bar.label),
            tag("rect", x=1, y=top, width=length, height=_BAR, **_filled(name, bar.pattern)),
            _text(length + 8, top + _TEXT, reader.figure(bar.value), font_weight="bold"),
        ]
    return _picture(name, title, reader.sentence(bars), len(bars) * _STEP, drawn)


def _filled(name: str, pattern: int) -> dict[str, object]:
    fill = "currentColor" if pattern == 0 else f"url(#{name}-p{pattern})"
    return {"fill": fill, "stroke": "currentColor", "stroke_width": 1}


def _patterns(name: str) -> Markup:
    stroke = {"stroke": "currentColor", "stroke_width": 2}
    shapes = (
        tag("path", d="M-2,2 L2,-2 M0,8 L8,0 M6,10 L10,6", fill="none", **stroke),
        tag("circle", cx=4, cy=4, r=1.4, fill="currentColor"),
        tag("path", d="M0,2 L8,2 M0,6 L8,6", fill="none", **stroke),
        tag("path", d="M4,0 L4,8 M0,4 L8,4", fill="none", **stroke),
    )
    made = [
        tag(
            "pattern",
            shape,
            id=f"{name}-p{place}",
            width=8,
            height=8,
            patternUnits="userSpaceOnUse",
        )
        for place, shape in enumerate(shapes, start=1)
    ]
    return tag("defs", *made)


def _trend(reader: _Reader, line: Sequence[ReportPublished], choice: Choice) -> Markup:
    """One below the other, each on a scale of its own: lines that cross hide their figures."""
    drawn: list[Markup] = []
    told = []
    for number, code in enumerate(choice.trend):
        row = [reader.value(each, code) for each in line]
        top = number * _PANEL
        drawn += [_mark(6, top + 10, number), _text(18, top + 15, reader.labels[code])]
        drawn += _series(reader, number, row, top + _PANEL)
        figures = zip(line, row, strict=True)
        said_so = ", ".join(f"{_year(r)}: {reader.figure(value)}" for r, value in figures)
        told.append(f"{reader.labels[code]}: {said_so}")
    below = len(choice.trend) * _PANEL + 18
    for place, each in enumerate(line):
        x = _place(place, len(line))
        drawn.append(_text(x, below, str(_year(each)), text_anchor="middle"))
    title = word("trend", reader.language, "–".join(str(_year(r)) for r in (line[0], line[-1])))
    return _picture(f"{reader.name}-trend", title, "; ".join(told), below + 6, drawn)


def _place(place: int, count: int) -> float:
    return round(_MARGIN + place * (WIDTH - 2 * _MARGIN) / (count - 1), 1)


def _series(reader: _Reader, number: int, row: Sequence[int | None], base: int) -> list[Markup]:
    """A line that is broken where a figure is withheld, with a mark and a figure at each point."""
    most = max((value for value in row if value is not None), default=0) or 1
    drawn = [tag("line", x1=0, y1=base, x2=WIDTH, y2=base, stroke="currentColor")]
    run: list[tuple[float, float]] = []
    for place, value in enumerate(row):
        x = _place(place, len(row))
        y = round(base - 6 - (value or 0) / most * _HEIGHT, 1)
        middle = {"text_anchor": "middle"}
        drawn.append(_text(x, y - 10, reader.figure(value), font_weight="bold", **middle))
        if value is None:
            drawn += _stroke(run, number)
            run = []
        else:
            run.append((x, y))
            drawn.append(_mark(x, y, number))
    return [*drawn, *_stroke(run, number)]


def _stroke(points: Sequence[tuple[float, float]], number: int) -> list[Markup]:
    if not points:
        return []
    way = "M" + " L".join(f"{x},{y}" for x, y in points)
    dashes = _DASHES[number % len(_DASHES)]
    style = {"stroke": "currentColor", "stroke_width": 2, "stroke_dasharray": dashes}
    return [tag("path", d=way, fill="none", **style)]


def _mark(x: float, y: float, number: int) -> Markup:
    """A dot, a square, a triangle."""
    if number % 3 == 0:
        return tag("circle", cx=x, cy=y, r=4.5, fill="currentColor")
    if number % 3 == 1:
        return tag("rect", x=x - 4, y=y - 4, width=8, height=8, fill="currentColor")
    return tag(
        "path", d=f"M{x},{y - 5.5} L{x + 5.5},{y + 4} L{x - 5.5},{y + 4} Z", fill="currentColor"
    )


def _text(x: float, y: float, text: str, **style: object) -> Markup:
    style = {"font_size": _TEXT, "fill": "currentColor", **style}
    return tag("text", text, x=round(x, 1), y=round(y, 1), **style)


def _picture(name: str, title: str, told: str, height: float, drawn: Sequence[Markup]) -> Markup:
    picture = tag(
        "svg",
        tag("title", title, id=f"{name}-title"),
        tag("desc", told, id=f"{name}-desc"),
        *drawn,
        viewBox=f"0 0 {WIDTH} {height + 4}",
        width=WIDTH,
        height=height + 4,
        role="img",
        aria_labelledby=f"{name}-title",
        aria_describedby=f"{name}-desc",
        font_family="'DejaVu Sans', sans-serif",
    )
    return tag("figure", tag("figcaption", title), joined(picture))
