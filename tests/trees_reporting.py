"""Random provinces of two days, between which units merge, split, are renamed and dissolved."""

from datetime import timedelta

from hypothesis import strategies as st

from shared.contracts.directory import Directory, Successor, Unit
from tests.examples_reporting import DAY, LAST_DAY, directory, unit

THEN = LAST_DAY
NOW = LAST_DAY + timedelta(days=365)
CHANGES = tuple(THEN + timedelta(days=days) for days in (1, 90, 180))
OLD = tuple(f"u{number}" for number in range(6))
NEW = tuple(f"n{number}" for number in range(4))


@st.composite
def directories(draw) -> Directory:
    """A root that lasts, units with each a fate, and units that come later, some ending again."""
    units = [unit("province", level=1)]
    for place, code in enumerate((*OLD, *NEW)):
        above = draw(st.sampled_from(["province", *(*OLD, *NEW)[:place]]))
        begins = {"valid_from": draw(st.sampled_from(CHANGES))} if code in NEW else {}
        units += draw(fates(code, above, begins))
    return directory(units=tuple(units))


@st.composite
def fates(draw, code, above, begins) -> list[Unit]:
    stays = unit(code, above, **begins)
    fate = draw(st.sampled_from(["stays", "renamed", "merged", "split", "dissolved", "reused"]))
    ends = draw(st.sampled_from(CHANGES))
    if fate == "stays" or ends <= stays.valid_from:
        return [stays]
    heirs = st.sampled_from(["province", *OLD, *NEW])
    ended = {**begins, "valid_to": ends}
    match fate:
        case "renamed":
            return [unit(code, above, **ended), unit(code, "province", valid_from=ends)]
        case "dissolved":
            return [unit(code, above, **ended)]
        case "reused":
            again = unit(code, "province", valid_from=ends + DAY)
            return [unit(code, above, successors=(heir(draw(heirs)),), **ended), again]
        case "merged":
            return [unit(code, above, successors=(heir(draw(heirs)),), **ended)]
    named = draw(st.lists(heirs, min_size=2, max_size=3, unique=True))
    functions = st.sampled_from([(), ("land",), ("schools",)])
    successors = tuple(heir(name, draw(functions)) for name in named)
    return [unit(code, above, successors=successors, **ended)]


def heir(code, categories=()):
    return Successor(unit=code, categories=categories)
