"""The cases of one letter: whom one of them names, the others concern too.

Who holds any case of a letter may read the whole of it, so whoever is accused in one must stay
away from all.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import tzinfo
from functools import reduce

from services.routing.domain.decision import Act, Decision
from services.routing.domain.due import acts_settled
from services.routing.domain.lifecycle import CaseState, KeptCase
from services.routing.domain.matter import Matter
from services.routing.domain.reassessing import Handing, reassessed
from services.routing.domain.rules import RulesInForce
from shared.contracts.case import Assigning, CaseAmended, part_id


def cases_of(first: KeptCase) -> tuple[str, ...]:
    """Every case of the letter that this case opened, itself first."""
    case = first.state.case
    return (case, *(part_id(case, kind) for kind in first.state.divided))


def whole_of(letter: Iterable[CaseState], brought: Matter | None = None) -> Matter:
    """Whom and which days all cases of a letter concern together, with what is brought to it."""
    matters = [state.matter for state in letter]
    return reduce(Matter.taking_over, [*matters[1:], *([brought] if brought else ())], matters[0])


def lacks(state: CaseState, whole: Matter) -> bool:
    """Whether the case does not know yet of somebody, or of a day, that its letter concerns."""
    mine, all_of_it = state.matter, state.matter.taking_over(whole)
    return not (
        set(all_of_it.concerns) <= set(mine.concerns)
        and set(all_of_it.also_acted) <= set(mine.also_acted)
    )


def learnt(
    state: CaseState,
    whole: Matter,
    source: str,
    *,
    act: Act,
    rules: RulesInForce,
    zone: tzinfo,
    load: Mapping[str, int],
) -> Decision:
    """The case as it concerns all of it, weighed at once; a closed one keeps its bodies.

    `source` is the case in which it was named. What is closed is handed to nobody: whom it
    concerns now may not read it any more, nor take it up again.
    """
    today = act.recorded.astimezone(zone).date()
    settled, said = acts_settled(state, zone)
    matter = settled.matter.taking_over(whole)
    amended = CaseAmended(
        version=settled.version + 1,
        body=act.party,
        concerns=matter.concerns,
        learnt_from=source if source != state.case else None,
    )
    after = replace(settled, matter=matter, version=amended.version)
    at = max(act.at, state.received)
    said = (*said, (amended, at))
    if not after.open:
        return Decision(after, said)
    found = reassessed(after, rules, today, Assigning.CONCERNS, load)
    if isinstance(found, Handing):
        return Decision(found.state, (*said, (found.said, at)))
    return Decision(found, said)
