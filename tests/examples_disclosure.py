"""Trees of units with made-up figures, told as a closing's internal reports."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from random import Random

from services.reporting.domain.disclosure import Knowledge
from shared.contracts import ReportPublished
from shared.contracts.directory import Label
from shared.contracts.report import Column, Edition, Period, ReportRow
from tests.examples_reporting import DENUNCIATIONS, LETTERS, SUPERVISION

H1 = Period(
    code="2026-h1",
    label=Label(vi="6 tháng đầu năm 2026"),
    first_day=date(2025, 12, 15),
    last_day=date(2026, 6, 14),
)


@dataclass(frozen=True)
class Shape:
    """As much of a form as a table needs."""

    code: str
    columns: tuple[str, ...]
    identities: tuple[str, ...] = ()


def shape(form):
    return Shape(form.code, tuple(c.code for c in form.columns), form.checked)


SHAPES = tuple(map(shape, (LETTERS, DENUNCIATIONS, SUPERVISION)))
PLAIN = Shape("plain", ("all", "a", "b", "c"), ("all = a + b + c",))


STOCK = Shape(
    "stock",
    ("t", "old", "new", "done", "open", "x", "y"),
    ("t = old + new", "t = done + open", "t = x + y"),
)
STOCKS = Knowledge(stocks=(("stock.old", "stock.open"),))
NEXT = H1.model_copy(
    update={
        "code": "2026-h2",
        "first_day": H1.last_day + timedelta(days=1),
        "last_day": date(2026, 12, 14),
    }
)


def stock(old, new, open_, x):
    t = old + new
    return t, old, new, t - open_, open_, x, t - x


def reports(
    form: Shape,
    own: Mapping[str, Sequence[int]],
    parents: Mapping[str, str | None],
    period: Period = H1,
    revision: int = 1,
) -> tuple[ReportPublished, ...]:
    """A form of every unit; `parents` has every unit after the one above it."""
    children: dict[str, list[str]] = {unit: [] for unit in parents}
    for unit, parent in parents.items():
        if parent is not None:
            children[parent].append(unit)
    totals: dict[str, tuple[int, ...]] = {}
    for unit in reversed(list(parents)):
        parts = [own[unit], *(totals[child] for child in children[unit])]
        totals[unit] = tuple(map(sum, zip(*parts, strict=True)))
    return tuple(
        ReportPublished(
            form=form.code,
            unit=unit,
            period=period,
            edition=Edition.INTERNAL,
            revision=revision,
            title=Label(vi=form.code),
            citation=form.code,
            columns=tuple(Column(code=c, label=Label(vi=c)) for c in form.columns),
            rows=tuple(_rows(unit, own, totals, children)),
            totals=totals[unit],
            identities=form.identities,
            digest="",
            directory=1,
            rulebook=1,
        )
        for unit in parents
    )


def _rows(unit, own, totals, children) -> Iterable[ReportRow]:
    yield ReportRow(unit=unit, name=Label(vi=unit), own=True, cells=tuple(own[unit]))
    for child in children[unit]:
        yield ReportRow(unit=child, name=Label(vi=child), own=False, cells=totals[child])


def province(middle: int, leaves: int) -> dict[str, str | None]:
    """A root, so many units below it, and so many leaves in all below those."""
    parents: dict[str, str | None] = {"root": None}
    parents |= {f"m{n}": "root" for n in range(middle)}
    parents |= {f"u{n}": f"m{n % middle}" for n in range(leaves)}
    return parents


def figures_of(dice: Random, cases: int) -> tuple[tuple[int, ...], ...]:
    """Figures of all forms for so many made-up cases of one unit."""
    x, d, s = (dict.fromkeys(each.columns, 0) for each in SHAPES)
    for _ in range(cases):
        carried = dice.random() < 0.15
        x["1"] += 1
        x[str((5 if carried else 2) + dice.choices((0, 1, 2), (6, 80, 14))[0])] += 1
        s["carried-over" if carried else "received"] += 1
        concluded, late = dice.random() < 0.7, dice.random() < 0.15
        s["open" if not concluded else "answered-late" if late else "answered-in-time"] += 1
        s["overdue"] += not concluded and late
        x["8"] += (handled := dice.random() < 0.95)
        if not handled or dice.random() < 0.1:
            continue
        content = dice.choices((0, 1, 2), (20, 8, 72))[0]
        state = dice.choices((0, 1), (97, 3))[0] if concluded else dice.choices((2, 3), (7, 3))[0]
        for column in ("9", "10", str(11 + content), str(14 + state)):
            x[column] += 1
        if dice.random() < 0.8:
            x["18"] += 1
            x[str(19 + content)] += 1
            if content == 1:
                _denounce(d, dice, carried, concluded, late)
        else:
            way = dice.choices((0, 1, 2), (5, 4, 1))[0]
            x["22"] += 1
            x[str(23 + way)] += 1
            x["26"] += way == 1 and concluded
    _measure(s, dice)
    return tuple(tuple(figures.values()) for figures in (x, d, s))


def _denounce(d, dice, carried, concluded, late) -> None:
    d["1"] += 1
    d["2" if carried else "3"] += 1
    if not concluded:
        d["10"] += 1
        return
    d["4"] += 1
    d[str(dice.choices((5, 6, 7, 8, 9), (3, 5, 3, 1, 1))[0])] += 1
    d["14" if late else "13"] += 1
    d["11"] += dice.choice((0, 0, 1_500_000, 72_000_000))
    d["12"] += dice.choice((0, 0, 1, 2))


def _measure(s, dice) -> None:
    for measure in (
        "direct-activities",
        "indirect-activities",
        "dialogues",
        "supervised-officials",
    ):
        s[measure] = dice.randrange(6)
    if s["dialogues"]:
        s["dialogue-participants"] = dice.randrange(5, 120)
        s["dialogue-opinions-received"] = dice.randrange(s["dialogue-participants"])
        s["dialogue-opinions-accepted"] = dice.randrange(s["dialogue-opinions-received"] + 1)
    s["agencies"] = dice.randrange(8)
    s["ratings"] = dice.randrange(1 + s["answered-in-time"])
    s["satisfied"] = dice.randrange(s["ratings"] + 1)


def closing(seed: int, middle: int, leaves: int, mean: float) -> tuple[ReportPublished, ...]:
    """All forms of a made-up province; cases by unit follow a skewed distribution."""
    dice = Random(seed)
    parents = province(middle, leaves)
    figures = {
        unit: figures_of(dice, int(dice.lognormvariate(0, 1.2) * mean / 2)) for unit in parents
    }
    return tuple(
        report
        for number, form in enumerate(SHAPES)
        for report in reports(form, {u: each[number] for u, each in figures.items()}, parents)
    )


def cells_of(published: Iterable[ReportPublished]):
    """Every cell once: its place and its figure."""
    seen = {}
    for report in published:
        codes = [column.code for column in report.columns]
        for row in report.rows:
            for code, cell in zip(codes, row.cells, strict=True):
                seen[report.form, row.unit, row.own, code] = cell
        for code, cell in zip(codes, report.totals, strict=True):
            seen[report.form, report.unit, None, code] = cell
    return seen
