"""The public edition of reports: no figure about few people is in it, or can be worked out.

`protect` coarsens until that is so of all issues together, by sums alone. `attack` knows nothing of
how, and tries to work out what was withheld.
"""

from services.reporting.domain.disclosure.attacking import How, NoThreshold, Recovered, attack
from services.reporting.domain.disclosure.columns import NotAForest
from services.reporting.domain.disclosure.knowledge import Knowledge
from services.reporting.domain.disclosure.program import NoSolution
from services.reporting.domain.disclosure.protecting import Protected, TellsOfFew, protect
from services.reporting.domain.disclosure.tables import Contradiction, Row

__all__ = [
    "Contradiction",
    "How",
    "Knowledge",
    "NoSolution",
    "NoThreshold",
    "NotAForest",
    "Protected",
    "Recovered",
    "Row",
    "TellsOfFew",
    "attack",
    "protect",
]
