"""The words with which a form says what it counts.

What they mean is code; how a form joins them is data of the rulebook.
"""

from enum import StrEnum


class Fact(StrEnum):
    """What holds of a case that counts in a period, as of the period's end."""

    __hash__ = str.__hash__
    """An enumeration's own is ten times slower; facts are looked up for every case."""

    RECEIVED = "received"
    """Received within the period."""
    CARRIED_OVER = "carried-over"
    """Received before the period, not concluded before it."""

    SEVERAL_SIGNED = "several-signed"
    ONE_SIGNED = "one-signed"
    OTHER_SIGNED = "other-signed"

    HANDLED = "handled"
    """Screened: a body has been assigned."""
    ELIGIBLE = "eligible"

    COMPLAINT = "complaint"
    DENUNCIATION = "denunciation"
    PETITION = "petition"
    REFLECTION = "reflection"
    PETITION_OR_REFLECTION = "petition-or-reflection"
    """Statutory forms count the two kinds as one."""

    SETTLED_ONCE = "settled-once"
    SETTLED_AGAIN = "settled-again"
    BEING_SETTLED = "being-settled"
    """Accepted, not concluded."""
    NOT_SETTLED = "not-settled"
    """Not accepted and not concluded, or passed on to somebody outside."""

    WITHIN_COMPETENCE = "within-competence"
    """Also while nobody has been assigned: nothing has been forwarded yet."""
    NOT_WITHIN_COMPETENCE = "not-within-competence"
    GUIDED = "guided"
    """The sender was told whom to turn to."""
    FORWARDED = "forwarded"
    URGED = "urged"
    """The competent body was urged to settle it."""

    JOINED = "joined"
    """Closed as a duplicate: another case goes on with it. Nothing else holds of it but how it
    came in, and whether it was handled."""
    CONCLUDED = "concluded"
    """Answered, or passed on to somebody outside."""
    ANSWERED = "answered"
    RIGHT = "outcome = right"
    WRONG = "outcome = wrong"
    PARTLY_RIGHT = "outcome = partly-right"
    WITHDRAWN = "outcome = withdrawn"
    SUSPENDED = "outcome = suspended"
    IN_TIME = "in-time"
    LATE = "late"
    OPEN = "open"
    """Not concluded."""
    OVERDUE = "overdue"
    """Open, and a clock that still runs has passed its last day."""


class Measure(StrEnum):
    """What is counted of a unit apart from cases: written `sum of dialogues`."""

    DIRECT_ACTIVITIES = "direct-activities"
    INDIRECT_ACTIVITIES = "indirect-activities"
    DIALOGUES = "dialogues"
    PARTICIPANTS = "participants"
    OPINIONS_RECEIVED = "opinions-received"
    OPINIONS_ACCEPTED = "opinions-accepted"
    SUPERVISED_OFFICES = "supervised-offices"
    AGENCIES = "agencies"
    AGENCIES_WITH_MAILBOX = "agencies-with-mailbox"
    AGENCIES_WITH_HOTLINE = "agencies-with-hotline"
    AGENCIES_WITH_BOTH = "agencies-with-both"
    RATINGS = "ratings"
    """Answers that were rated within the period, whenever they were given."""
    SATISFIED = "satisfied"
    """Those of the ratings that were 4 or 5."""


class Amount(StrEnum):
    """What each case has a number of: written `sum of recovered over cases where …`."""

    RECOVERED = "recovered"
    """Sum recovered or to be paid back by its conclusion, in đồng."""
    SANCTIONS = "sanctions"
    """For how many people its conclusion proposed a sanction."""
