"""The public edition of reports: figures about few people are withheld, so that none can be
worked out, neither from one issue nor from several.

`protect` coarsens until that is so, by sums alone; `attack` tries to work out what was withheld.
"""

from services.reporting.domain.disclosure.attacking import How, NoThreshold, Recovered, attack
from services.reporting.domain.disclosure.columns import NotAForest
from services.reporting.domain.disclosure.knowledge import Knowledge
from services.reporting.domain.disclosure.program import NoSolution
from services.reporting.domain.disclosure.protecting import Protected, TellsOfFew, protect
from services.reporting.domain.disclosure.tables import Contradiction

__all__ = [
    "Contradiction",
    "How",
    "Knowledge",
    "NoSolution",
    "NoThreshold",
    "NotAForest",
    "Protected",
    "Recovered",
    "TellsOfFew",
    "attack",
    "protect",
]
