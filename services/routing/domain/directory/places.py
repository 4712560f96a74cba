"""Which unit an address means: names of a commune, its district and its province, on a day.

People write names with and without marks, kinds and zeros: `P.01`, `Phường 1`, `phuong 1`.
Every name that is given must fit, as a name that the unit had on the day; nothing is guessed
from a part of one. Of units that fit, those whose names fit to the letter go before the others.
"""

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable
from datetime import date

from services.routing.domain.directory.lineage import Lineage
from shared.contracts.directory import Unit

_KINDS = {
    "xa": "xa",
    "x": "xa",
    "phuong": "phuong",
    "p": "phuong",
    "thi tran": "thi tran",
    "tt": "thi tran",
    "dac khu": "dac khu",
    "huyen": "huyen",
    "h": "huyen",
    "quan": "quan",
    "q": "quan",
    "thi xa": "thi xa",
    "tx": "thi xa",
    "thanh pho": "thanh pho",
    "tp": "thanh pho",
    "tinh": "tinh",
    "t": "tinh",
}
_KIND = re.compile(rf"({'|'.join(sorted(_KINDS, key=len, reverse=True))})\b[ .]*(?=\S)")
_NOISE = re.compile(r"[^a-z0-9]+")


class Places:
    """Units by name, asked as of a day. Every step of an address names one level of the tree."""

    def __init__(self, units: Iterable[Unit]) -> None:
        units = tuple(units)
        self._lineage = Lineage(units)
        self._named: dict[str, list[Unit]] = defaultdict(list)
        for unit in units:
            for name in {plain(written) for written in _names(unit)}:
                self._named[name].append(unit)

    def find(self, names: Iterable[str], on: date) -> tuple[Unit, ...]:
        """The units that the names mean, the smallest place first; by code.

        None fits: nobody. Several: the address is ambiguous, and to ask is all that is left.
        """
        steps = [name for name in names if name.strip()]
        if not steps:
            return ()
        fitting = [
            (unit, line)
            for unit in self._named.get(plain(steps[0]), ())
            if unit.in_force(on) and (line := self._line(unit, steps, on)) is not None
        ]
        for fits in (_to_the_letter, _of_the_kind):
            close = [
                (unit, line)
                for unit, line in fitting
                if all(fits(step, above) for step, above in zip(steps, line, strict=True))
            ]
            fitting = close or fitting
        return tuple(sorted((unit for unit, _ in fitting), key=lambda unit: unit.code))

    def _line(self, unit: Unit, steps: list[str], on: date) -> tuple[Unit, ...] | None:
        """The unit and those above it that bear the names one after the other, if they do."""
        line = [unit]
        for step in steps[1:]:
            code = line[-1].parent
            above = self._lineage.meant(code, on) if code is not None else None
            if above is None or plain(step) not in map(plain, _names(above)):
                return None
            line.append(above)
        return tuple(line)


def plain(name: str) -> str:
    """A name without its kind, marks, case, signs, spaces, leading zeros; `Quận 01` is `1`."""
    return _split(name)[1]


def _split(name: str) -> tuple[str, str]:
    """Kind (empty if none is written) and plain name."""
    bare = unicodedata.normalize("NFD", name.casefold().replace("đ", "d"))
    text = "".join(letter for letter in bare if not unicodedata.combining(letter)).strip()
    match = _KIND.match(text)
    kind = _KINDS[match[1]] if match else ""
    rest = _NOISE.sub("", text[match.end() :] if match else text)
    return kind, rest.lstrip("0") or rest


def _names(unit: Unit) -> tuple[str, ...]:
    return (unit.name.vi, *unit.aliases)


def _to_the_letter(written: str, unit: Unit) -> bool:
    def comparable(name: str) -> str:
        return " ".join(unicodedata.normalize("NFC", name).casefold().split())

    return any(comparable(written) in comparable(name) for name in _names(unit))


def _of_the_kind(written: str, unit: Unit) -> bool:
    kind = _split(written)[0]
    return not kind or any(_split(name)[0] == kind for name in _names(unit))
