"""That a party was told something of cases, or was told that a case is not its own."""

from dataclasses import dataclass
from datetime import datetime

from shared.contracts.envelope import derived_id


@dataclass(frozen=True, slots=True)
class Look:
    """One answer. A list is one look, however long it is; its cases are not in it."""

    party: str
    person: str | None
    """As the party names them, or as a token of theirs does."""
    question: str
    """`worklist`, `case` or `load`."""
    told: int
    """How many cases, or how many bodies of a load; 0: nothing."""
    rule: str
    """By which it was told: `held`, the opening's ground, or `not-yours`."""
    at: datetime
    case: str | None = None
    shape: str = ""
    """What was asked, without where a page begins."""

    @property
    def id(self) -> str:
        """The same question of the same party at the same microsecond is one look."""
        about = (self.person or "", self.question, self.case or "", self.shape, self.rule)
        return derived_id(self.party, "look", self.at.isoformat(), *about)
