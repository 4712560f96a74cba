"""Proposals of public holidays: what a package knows, beside the calendar that an operator keeps.

Nothing here publishes. Swapped working days are decreed each year, and no package knows them
before: a person reads the decree, edits the file, and publishes it.
"""

from deploy.calendar.comparing import Difference, compared
from deploy.calendar.proposing import PACKAGE, NothingProposed, Proposed, proposed
from deploy.calendar.saying import NOTE, lines
from deploy.calendar.writing import merged, written

__all__ = [
    "NOTE",
    "PACKAGE",
    "Difference",
    "NothingProposed",
    "Proposed",
    "compared",
    "lines",
    "merged",
    "proposed",
    "written",
]
