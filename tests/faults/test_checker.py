"""The checker proves itself: a good end, changed in one place, is reported in that place.

The end is that of a real run of real processes, undisturbed; each change is made to what was read.
"""

import copy
import pickle
from collections.abc import Callable
from pathlib import Path

import pytest

from deploy.demo import quiet
from shared.contracts.case import case_id
from tests.faults.checker import Outcomes, check
from tests.faults.run import Run
from tests.faults.view import View
from tests.faults.world import World


async def undisturbed(folder: Path) -> tuple[View, Outcomes]:
    async with World(folder) as world:
        client = await world.connect()
        run = Run(world, client, seed=1)
        await run.begin()
        row = await run.through("orders", _nothing)
        assert row.broken == {}
        assert row.accepted > 150
        await quiet(client)
        await run.load.http.aclose()
        await client.close()
        return run.view, run.calm


async def _nothing(_run: Run) -> int:
    return 0


def submission(view: View) -> str:
    return min(view.submissions)


def case(view: View) -> str:
    return case_id(submission(view))


def ordered(view: View) -> str:
    return min(key for key, document in view.cases.items() if document["acted"])


def entry(view: View, kind: str):
    return next(e for e in view.log if e.type == kind)


def assigned(view: View) -> dict:
    events = view.cases[case(view)]["events"]
    return next(e["data"] for e in events if e["type"] == "case.assigned.v1")


def kept(view: View) -> dict:
    return next(a for a in view.arrivals.values() if a["fate"] == "kept")


def refused(view: View) -> str:
    return next(key for key, a in view.arrivals.items() if a["fate"] == "refused")


def _again(view: View, kind: str, **changed) -> None:
    found = copy.deepcopy(entry(view, kind))
    found.sequence = len(view.log) + 1
    for name, value in changed.items():
        setattr(found, name, value)
    view.log.append(found)


def lose_submission(view):
    del view.submissions[submission(view)]


def change_words(view):
    view.submissions[submission(view)]["said"] = "other"


def lose_refusal(view):
    del view.arrivals[refused(view)]


def drop_event(view):
    view.log.remove(entry(view, "submission.received.v1"))


def drop_last_event(view):
    view.log.pop()


def invent_submission(view):
    view.submissions["invented"] = view.submissions[submission(view)]


def invent_event(view):
    event = copy.deepcopy(entry(view, "submission.received.v1").event)
    event["id"] = event["subject"] = "invented"
    _again(view, "submission.received.v1", event=event)


def invent_refusal(view):
    view.arrivals["feed:invented"] = view.arrivals[refused(view)] | {"item": "invented"}


def invent_row(view):
    view.rows["invented"] = {}


def lose_case(view):
    del view.cases[case(view)]


def double_case(view):
    view.cases["second"] = copy.deepcopy(view.cases[case(view)])


def keep_twice(view):
    view.arrivals["feed:second"] = dict(kept(view))


def double_assignment(view):
    document = view.cases[case(view)]
    second = copy.deepcopy(next(e for e in document["events"] if e["type"] == "case.assigned.v1"))
    second["data"]["version"] = len(document["events"]) + 1
    document["events"].append(second)


def skip_version(view):
    view.cases[case(view)]["events"].pop(2)


def assign_to_excluded(view):
    data = assigned(view)
    data["excluded"] = [{"body": data["lead"]}]


def another_lead_in_intake(view):
    view.views[case(view)]["lead"] = "another"


def say_in_other_words(view):
    _again(view, "case.opened.v1", digest="other")


def say_another_of_one_version(view):
    event = copy.deepcopy(entry(view, "case.opened.v1").event)
    event["id"] = "another"
    _again(view, "case.opened.v1", event=event)


def double_receipt(view):
    view.receipts += [submission(view)] * 2


def follow_order_twice(view):
    acted = view.cases[ordered(view)]["acted"]
    acted.append(acted[0])


def move_deadline(view):
    events = view.cases[case(view)]["events"]
    next(e for e in events if e["type"] == "clock.started.v1")["data"]["due"] = "2030-01-01"


def lose_deadline_in_row(view):
    view.rows[case(view)]["clocks"].popitem()


def lose_row(view):
    del view.rows[case(view)]


def count_another_kind(view):
    view.rows[case(view)]["opened"]["data"]["kind"] = "another"


def change_total(view):
    view.findings.append(("totals", "totals: report r says 2 in column 1, the stores 3"))


def break_chain(view):
    view.findings.append(("chain", "chain: message 7 of EVENTS is not the one that was chained"))


def store_another_event(view):
    view.cases[case(view)]["events"][0]["id"] = "another"


def leave_under_way(view):
    view.pending["routing-commands"] = 1


def lose_fate(view):
    view.arrivals = {key: a for key, a in view.arrivals.items() if not key.startswith("feed:")}


def set_aside(view):
    letter = {"stream": "EVENTS", "sequence": 3, "consumer": "reporting-rows", "reason": "failed"}
    view.dead.append(letter | {"detail": ""})


def lose_order(view):
    view.sendings.clear()


def tell_words(view):
    view.canaries.append("intake.log: Hoàng Yến 000000000000")


def decide_otherwise(view):
    view.submissions[submission(view)]["events"][0]["data"]["category"] = "another"


def leave_open(view):
    view.cases[ordered(view)]["state"] = "assigned"


MUTATIONS: list[tuple[Callable[[View], None], str, Callable[[View], str]]] = [
    (lose_submission, "I1", lambda v: "accepted and not kept"),
    (change_words, "I1", lambda v: "kept in other words"),
    (lose_refusal, "I1", lambda v: "no refusal is kept"),
    (drop_event, "I1", lambda v: "accepted and not in the log"),
    (drop_last_event, "I8", lambda v: "is not in the log"),
    (invent_submission, "I2", lambda v: "submission invented: nobody sent it"),
    (invent_event, "I2", lambda v: "event invented: of a submission that nobody sent"),
    (invent_refusal, "I2", lambda v: "/invented: nobody sent it"),
    (invent_row, "I2", lambda v: "case invented: of no submission"),
    (lose_case, "I3", lambda v: f"submission {submission(v)}: has 0 cases"),
    (double_case, "I3", lambda v: f"submission {submission(v)}: has 2 cases"),
    (keep_twice, "I3", lambda v: f"{kept(v)['party']}/{kept(v)['item']}: was kept 2 times"),
    (double_assignment, "I4", lambda v: f"case {case(v)}: was not assigned once"),
    (skip_version, "I4", lambda v: f"case {case(v)}: has versions"),
    (assign_to_excluded, "I4", lambda v: f"case {case(v)}: is held by a body that is excluded"),
    (another_lead_in_intake, "I4", lambda v: f"case {case(v)}: intake knows another lead"),
    (say_in_other_words, "I5", lambda v: f"event {entry(v, 'case.opened.v1').id}: is in the log in 2"),
    (say_another_of_one_version, "I5", lambda v: "has 2 events of version 1"),
    (double_receipt, "I5", lambda v: f"submission {submission(v)}: has 2 receipts"),
    (follow_order_twice, "I5", lambda v: f"case {ordered(v)}: followed order"),
    (move_deadline, "I6", lambda v: f"case {case(v)}: has the clocks"),
    (lose_deadline_in_row, "I6", lambda v: f"case {case(v)}: reporting counts other clocks"),
    (lose_row, "I7", lambda v: f"case {case(v)}: has no row"),
    (count_another_kind, "I7", lambda v: f"case {case(v)}: its row has another kind"),
    (change_total, "I7", lambda v: "says 2 in column 1"),
    (store_another_event, "I8", lambda v: f"case {case(v)}: its case.opened.v1 is not in the log"),
    (leave_under_way, "I9", lambda v: "consumer routing-commands: 1 messages under way"),
    (lose_fate, "I9", lambda v: "sending 1 of the feed: is nowhere"),
    (set_aside, "I9", lambda v: "dead letter: EVENTS 3 for reporting-rows"),
    (lose_order, "I9", lambda v: "accepted and not decided"),
    (break_chain, "I10", lambda v: "message 7 of EVENTS"),
    (tell_words, "I11", lambda v: "intake.log: Hoàng Yến"),
    (decide_otherwise, "I12", lambda v: "became something else than undisturbed"),
    (leave_open, "I12", lambda v: f"case {ordered(v)}: was ordered to be concluded"),
]  # fmt: skip


@pytest.mark.xdist_group("demo")
async def test_each_of_many_changes_to_a_good_end_is_reported_by_name(tmp_path):
    view, calm = await undisturbed(tmp_path / "state")
    assert not any(check(view, calm).values())
    good = pickle.dumps(view)

    unnamed = []
    for mutate, invariant, names in MUTATIONS:
        changed = pickle.loads(good)
        expected = names(changed)
        mutate(changed)
        if not any(expected in name for name in check(changed, calm)[invariant]):
            unnamed.append(mutate.__name__)

    assert len(MUTATIONS) >= 20
    assert unnamed == []
