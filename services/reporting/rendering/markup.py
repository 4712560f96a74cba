"""HTML and SVG by functions, so that no text can become markup."""

import html


class Markup(str):
    """Text that is markup already; made by `tag` and `raw` alone."""

    __slots__ = ()


VOID = frozenset({"meta", "col", "rect", "line", "path", "circle"})
"""Elements that hold nothing; SVG's are closed as XML wants it."""


def tag(name: str, /, *children: str, **attributes: object) -> Markup:
    """An element. Children that are no `Markup` are escaped; `None` leaves an attribute out.

    `class_` and `for_` stand for words that Python keeps; `stroke_width` for `stroke-width`.
    """
    written = "".join(
        f' {key.strip("_").replace("_", "-")}="{html.escape(str(value))}"'
        for key, value in attributes.items()
        if value is not None
    )
    if name in VOID:
        return Markup(f"<{name}{written}/>")
    return Markup(f"<{name}{written}>{joined(*children)}</{name}>")


def joined(*children: str) -> Markup:
    return Markup(
        "".join(c if isinstance(c, Markup) else html.escape(c, quote=False) for c in children)
    )
