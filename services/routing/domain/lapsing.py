"""What was asked to be unsealed, and nobody agreed to in time, is over."""

from dataclasses import replace
from datetime import date, datetime, time, timedelta, tzinfo

from services.routing.domain.lifecycle import CaseState, Unsealed, Unsealing
from shared.contracts.case import CaseUnsealingLapsed

ONE_DAY = timedelta(days=1)


def lapses(state: CaseState) -> list[date]:
    """The local days on which something that was asked is over."""
    asked = (each for each in state.unsealings if each.standing is Unsealed.ASKED)
    return [each.until + ONE_DAY for each in asked]


def lapsed(
    state: CaseState, today: date, zone: tzinfo
) -> tuple[CaseState, tuple[tuple[CaseUnsealingLapsed, datetime], ...]]:
    """The case as it stands today, and what is said of it, each with its midnight."""
    said: list[tuple[CaseUnsealingLapsed, datetime]] = []
    unsealings: list[Unsealing] = []
    for each in state.unsealings:
        over = each.standing is Unsealed.ASKED and each.until < today
        unsealings.append(replace(each, standing=Unsealed.LAPSED) if over else each)
        if over:
            data = CaseUnsealingLapsed(
                version=state.version + len(said) + 1,
                number=each.number,
                body=each.body,
                until=each.until,
            )
            said.append((data, datetime.combine(each.until + ONE_DAY, time(), zone)))
    after = replace(state, unsealings=tuple(unsealings), version=state.version + len(said))
    return after, tuple(said)
