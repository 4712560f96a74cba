"""A report as HTML: a fragment for a page of others, and a page that needs nothing else."""

from collections.abc import Sequence
from importlib.resources import files

from services.reporting.rendering.heads import Head
from services.reporting.rendering.markup import Markup, joined, tag
from services.reporting.rendering.sheet import Line, Sheet
from services.reporting.rendering.words import WITHHELD, figure, word

POLICY = "default-src 'none'; style-src 'unsafe-inline'"
"""A page fetches nothing and runs nothing, whatever stands in it."""

MANY = 12
"""From so many columns on, they are printed small on A4."""


def style() -> Markup:
    return Markup(files(__package__).joinpath("style.css").read_text(encoding="utf-8"))


def page(sheet: Sheet, charts: Sequence[Markup] = ()) -> str:
    paper = Markup(f"@page {{ size: {'A3' if sheet.is_wide else 'A4'} landscape }}\n")
    head = tag(
        "head",
        tag("meta", charset="utf-8"),
        tag("meta", http_equiv="Content-Security-Policy", content=POLICY),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("title", f"{sheet.title} – {sheet.unit} – {sheet.period}"),
        tag("style", paper, style()),
    )
    body = tag("body", fragment(sheet, charts))
    return "<!DOCTYPE html>\n" + tag("html", head, body, lang=sheet.language.value) + "\n"


def fragment(sheet: Sheet, charts: Sequence[Markup] = ()) -> Markup:
    """An `article`; its ids begin with a part of the digest, so that several go on one page."""
    name = f"r{sheet.digest[:12]}"
    return tag(
        "article",
        _header(sheet),
        tag(
            "div",
            _table(sheet, name),
            class_="wide",
            role="region",
            tabindex=0,
            aria_label=sheet.title,
        ),
        _notes(sheet),
        _differences(sheet),
        _charts(sheet, charts),
        class_=f"report {_paper(sheet)}",
        lang=sheet.language.value,
    )


def _paper(sheet: Sheet) -> str:
    if sheet.is_wide:
        return "a3"
    return "a4 many" if len(sheet.codes) >= MANY else "a4"


def _header(sheet: Sheet) -> Markup:
    return tag(
        "header",
        tag(
            "div",
            tag("p", sheet.unit, class_="unit"),
            tag("p", f"{sheet.edition}. {sheet.revision}", class_="edition"),
        ),
        tag("p", sheet.number, class_="number"),
        tag("h1", sheet.title),
        tag("p", sheet.period, class_="period"),
        tag("p", sheet.days, class_="days"),
    )


def _table(sheet: Sheet, name: str) -> Markup:
    head = [
        tag("tr", *(_head(h, name) for h in sheet.heads if h.row == row))
        for row in range(sheet.depth)
    ]
    numbers = tag("tr", *(tag("td", n) for n in ("", *sheet.numbers)), class_="numbers")
    over = [
        " ".join(_id(head, name) for head in sheet.heads if head.stands_over(place))
        for place in range(len(sheet.codes) + 1)
    ]
    rows = [_line(sheet, line, over, f"{name}-u{n}") for n, line in enumerate(sheet.all_lines)]
    columns = [tag("col", class_="unit"), *(tag("col") for _ in sheet.codes)]
    return tag(
        "table",
        tag("caption", f"{sheet.number}. {sheet.unit}. {sheet.period}"),
        tag("colgroup", *columns),
        tag("thead", *head, numbers),
        tag("tbody", *rows),
    )


def _id(head: Head, name: str) -> str:
    return f"{name}-h{head.row}-{head.column}"


def _head(head: Head, name: str) -> Markup:
    return tag(
        "th",
        head.text,
        id=_id(head, name),
        scope="col" if head.is_leaf else "colgroup",
        rowspan=head.rows if head.rows > 1 else None,
        colspan=head.columns if head.columns > 1 else None,
    )


def _line(sheet: Sheet, line: Line, over: Sequence[str], name: str) -> Markup:
    cells = [
        tag("td", _figure(sheet, cell), headers=f"{name} {heads}")
        for cell, heads in zip(line.cells, over[1:], strict=True)
    ]
    unit = tag("th", line.name, id=name, scope="row", headers=over[0])
    return tag("tr", unit, *cells, class_="total" if line.unit is None else None)


def _figure(sheet: Sheet, cell: int | None) -> Markup:
    if cell is None:
        return tag("abbr", WITHHELD, title=word("withheld-short", sheet.language))
    return tag("data", figure(cell, sheet.language), value=cell)


def _notes(sheet: Sheet) -> Markup:
    notes = [tag("li", note) for note in sheet.notes]
    return tag(
        "section", tag("h2", word("note", sheet.language)), tag("ul", *notes), class_="notes"
    )


def _differences(sheet: Sheet) -> Markup:
    if not sheet.replaces:
        return Markup()
    keys = ("unit", "column", "content", "before", "now")
    head = tag("tr", *(tag("th", word(key, sheet.language), scope="col") for key in keys))
    rows = [
        tag(
            "tr",
            *(tag("td", text) for text in (each.unit, each.number, each.column)),
            *(tag("td", _figure(sheet, cell)) for cell in (each.before, each.now)),
        )
        for each in sheet.differences
    ]
    table = tag("table", tag("thead", head), tag("tbody", *rows)) if rows else Markup()
    return tag("section", tag("p", sheet.replaces), table, class_="differences")


def _charts(sheet: Sheet, charts: Sequence[Markup]) -> Markup:
    if not charts:
        return Markup()
    heading = tag("h2", word("charts", sheet.language))
    return tag("section", heading, joined(*charts), class_="charts")
