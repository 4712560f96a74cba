"""What the package `holidays` knows of one year in one country."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from importlib.metadata import version

import holidays

from shared.contracts.directory import Label

PACKAGE = f"holidays {version('holidays')}"
COUNTRY = "VN"
VIETNAMESE, ENGLISH = "vi", ("en_US", "en_GB")
CODE = re.compile(r"[A-Z]{2}", re.ASCII)
_AMERICAN = re.compile(r"\b(\d\d)/(\d\d)/(\d{4})\b")


class NothingProposed(Exception):
    """The package knows nothing of this country or year; the text says what to give instead."""


@dataclass(frozen=True, slots=True)
class Proposed:
    """Public holidays of a year by day, also on days of the weekly rest, and what else it knows."""

    country: str
    year: int
    holidays: Mapping[date, Label]
    swapped: tuple[date, ...]
    """Days of the weekly rest that were worked, as far as they are known: mostly of past years."""
    weekly_rest: tuple[int, ...]
    """ISO weekdays."""


def proposed(year: int, country: str = COUNTRY) -> Proposed:
    """Raises `NothingProposed` where the package has no such country, or nothing of that year."""
    code = country.strip().upper()
    if not CODE.fullmatch(code) or code not in holidays.list_supported_countries():
        raise NothingProposed(
            f"{PACKAGE} knows no country of this code: give one of two letters (ISO 3166), "
            f"such as {COUNTRY}."
        )
    known = holidays.country_holidays(code, years=year)
    if not known.start_year <= year <= known.end_year:
        raise NothingProposed(
            f"{PACKAGE} knows {code} from {known.start_year} to {known.end_year}: give one of "
            "these years."
        )
    names = {language: _names(code, year, language) for language in _languages(code)}
    native = names.get(VIETNAMESE, names[""])
    english = next((names[language] for language in ENGLISH if language in names), {})
    if not native:
        raise NothingProposed(f"{PACKAGE} knows no public holiday of {code} in {year}.")
    days = {day: Label(vi=name, en=english.get(day)) for day, name in sorted(native.items())}
    worked: set[date] = getattr(known, "weekend_workdays", set())
    return Proposed(
        country=code,
        year=year,
        holidays=days,
        swapped=tuple(sorted(day for day in worked if day.year == year)),
        weekly_rest=tuple(sorted(day + 1 for day in known.weekend)),
    )


def _languages(code: str) -> tuple[str, ...]:
    """Ours among those that the country's names are told in; the empty one is its own."""
    supported = holidays.country_holidays(code).supported_languages
    return ("", *(name for name in (VIETNAMESE, *ENGLISH) if name in supported))


def _names(code: str, year: int, language: str) -> dict[date, str]:
    """Days told in English bear American dates there, which are rewritten: 04/05 is two days."""
    found = holidays.country_holidays(code, years=year, language=language or None)
    days = {day: name for day, name in found.items() if day.year == year}
    if not language.startswith("en"):
        return days
    return {day: _AMERICAN.sub(r"\3-\1-\2", name) for day, name in days.items()}
