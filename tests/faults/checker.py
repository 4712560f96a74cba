"""I1 to I12: what was tried from outside, held against what a run ended with.

Pure. Shares nothing with `langnghe verify` but its findings, which it repeats under their
invariant: each invariant has a look of its own besides.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator

from shared.contracts.case import case_id
from shared.contracts.submission import submission_id
from tests.faults.ledger import ACCEPTED, Attempt
from tests.faults.view import View

RECEIVED, OPENED, ASSIGNED = "submission.received.v1", "case.opened.v1", "case.assigned.v1"
STARTED = "clock.started.v1"
OF_VERIFY = {
    "chain": "I10",
    "totals": "I7",
    "nothing lost": "I1",
    "nothing invented": "I2",
    "exactly one case": "I3",
    "one case a kind": "I3",
    "one assignment": "I4",
    "no conflict": "I4",
    "announced": "I8",
    "log = store": "I8",
}
"""By what `verify` calls it; everything else that it finds breaks I8 as well."""
Names = Iterator[str]
Outcomes = dict[str, str]
"""By pattern of what was said: what became of it where nothing was disturbed."""


def check(view: View, calm: Outcomes | None = None) -> dict[str, list[str]]:
    """By invariant: everything that breaks it, by name; an empty list for one that holds."""
    found = {name: sorted(set(look(view))) for name, look in LOOKS.items()}
    for invariant, words in view.findings:
        found[OF_VERIFY.get(invariant, "I8")].append(f"verify: {words}")
    found["I12"] = sorted(_convergence(view, calm or {}))
    return found


def _submission(attempt: Attempt) -> str:
    return submission_id(*attempt.event)


def _nothing_lost(view: View) -> Names:
    """Accepted is in the log, with the very words that were sent; or refused, for a reason."""
    logged = {entry.event["subject"] for entry in view.log if entry.type == RECEIVED}
    aside = {letter["sequence"] for letter in view.dead if letter["stream"] == "FEED"}
    refused = _items(view, "refused")
    for event, attempt in view.ledger.accepted().items():
        name = f"{attempt.channel} {'/'.join(event)}"
        if attempt.sequence in aside:
            continue  # I9 names it
        if not attempt.text:
            if event not in refused:
                yield f"{name}: was to be refused, and no refusal is kept"
            continue
        submission = _submission(attempt)
        kept = view.submissions.get(submission)
        if kept is None:
            yield f"{name}: accepted and not kept"
        elif kept["said"] != attempt.text:
            yield f"{name}: kept in other words"
        if submission not in logged:
            yield f"{name}: accepted and not in the log"


def _nothing_invented(view: View) -> Names:
    tried = {_submission(a): a for a in view.ledger.tried_events().values()}
    events = view.ledger.tried_events()
    for submission in view.submissions.keys() - tried.keys():
        yield f"submission {submission}: nobody sent it"
    for entry in view.log:
        if entry.type == RECEIVED and entry.event["subject"] not in tried:
            yield f"event {entry.id}: of a submission that nobody sent"
    for party, item in _items(view, "refused"):
        if (party, item) not in events:
            yield f"refusal of {party}/{item}: nobody sent it"
    opened = {case_id(submission) for submission in view.submissions}
    for case in (view.cases.keys() | view.rows.keys() | view.views.keys()) - opened:
        yield f"case {case}: of no submission"


def _one_case(view: View) -> Names:
    cases: dict[str, list[str]] = defaultdict(list)
    for case, document in view.cases.items():
        for event in document["events"]:
            if event["type"] == OPENED:
                cases[event["data"]["submission"]].append(case)
    for submission in view.submissions:
        if len(cases[submission]) != 1:
            yield f"submission {submission}: has {len(cases[submission])} cases"
    kept = Counter((a["party"], a["item"]) for a in view.arrivals.values() if a["fate"] == "kept")
    for event, count in kept.items():
        if count != 1:
            yield f"{'/'.join(event)}: was kept {count} times"


def _one_assignment(view: View) -> Names:
    for case, document in view.cases.items():
        events = document["events"]
        versions = [event["data"]["version"] for event in events]
        if versions != list(range(1, len(events) + 1)):
            yield f"case {case}: has versions {versions}"
        assigned = [e["data"] for e in events if e["type"] == ASSIGNED]
        if sum(data["why"] == "opening" for data in assigned) != 1:
            yield f"case {case}: was not assigned once as it began"
        for data in assigned:
            excluded = {exclusion["body"] for exclusion in data["excluded"]}
            if excluded & {data["lead"], *data["cooperating"]}:
                yield f"case {case}: is held by a body that is excluded"
        known = view.views.get(case, {}).get("lead")
        if assigned and known != assigned[-1]["lead"]:
            yield f"case {case}: intake knows another lead"


def _effects_once(view: View) -> Names:
    """One event, one effect: however often it was delivered, it is said in the same words."""
    yield from _said_once(view)
    for submission, count in Counter(view.receipts).items():
        if count > 1:
            yield f"submission {submission}: has {count} receipts"
    for case, document in view.cases.items():
        for order, count in Counter(document["acted"]).items():
            if count > 1:
                yield f"case {case}: followed order {'/'.join(order)} {count} times"


def _said_once(view: View) -> Names:
    digests: dict[str, set[str]] = defaultdict(set)
    places: dict[tuple[str, int], set[str]] = defaultdict(set)
    for entry in view.log:
        digests[entry.id].add(entry.digest)
        version = entry.event["data"].get("version")
        if version and entry.type.startswith(("case.", "clock.")):
            places[entry.event["subject"], version].add(entry.id)
    for event, different in digests.items():
        if len(different) > 1:
            yield f"event {event}: is in the log in {len(different)} wordings"
    for (case, version), ids in places.items():
        if len(ids) > 1:
            yield f"case {case}: has {len(ids)} events of version {version}"


def _deadlines(view: View) -> Names:
    for case, expected in view.due.items():
        events = view.cases.get(case, {"events": ()})["events"]
        started = {e["data"]["clock"]: e["data"]["due"] for e in events if e["type"] == STARTED}
        if started != expected:
            yield f"case {case}: has the clocks {started}, by the law {expected}"
        counted = view.rows.get(case, {}).get("clocks", {})
        if {code: clock["data"]["due"] for code, clock in counted.items()} != expected:
            yield f"case {case}: reporting counts other clocks"


def _totals(view: View) -> Names:
    """Reporting's rows are the accepted events, each once, with what was announced of them."""
    for case, document in view.cases.items():
        row = view.rows.get(case)
        if row is None:
            yield f"case {case}: has no row"
            continue
        said = document["events"][0]["data"]
        for name in ("unit", "kind", "signatures", "eligibility"):
            if row.get("opened", {}).get("data", {}).get(name) != said[name]:
                yield f"case {case}: its row has another {name}"
    accepted = sum(bool(a.text) for a in view.ledger.accepted().values())
    unsure = len({a.event for a in view.ledger.attempts} - view.ledger.accepted().keys())
    aside = sum(letter["stream"] == "FEED" for letter in view.dead)
    if not accepted - aside <= len(view.rows) <= accepted + unsure:
        yield f"{accepted} were accepted, {len(view.rows)} are counted"


def _log_is_store(view: View) -> Names:
    logged = {entry.id for entry in view.log}
    kept = {e["id"] for s in view.submissions.values() for e in s["events"]}
    for name, documents in (("submission", view.submissions), ("case", view.cases)):
        for key, document in documents.items():
            for event in document["events"]:
                if event["id"] not in logged:
                    yield f"{name} {key}: its {event['type']} is not in the log"
    kept |= {e["id"] for c in view.cases.values() for e in c["events"]}
    for entry in view.log:
        if entry.type.startswith(("case.", "clock.", RECEIVED)) and entry.id not in kept:
            yield f"event {entry.id}: is in the log and no store has it"
    sequences = [entry.sequence for entry in view.log]
    if sequences != list(range(1, len(sequences) + 1)):
        yield "the log has a gap"


def _no_limbo(view: View) -> Names:
    for consumer, count in view.pending.items():
        yield f"consumer {consumer}: {count} messages under way"
    decided = {a["sequence"] for key, a in view.arrivals.items() if key.startswith("feed:")}
    aside = {letter["sequence"] for letter in view.dead if letter["stream"] == "FEED"}
    missing = set(range(1, view.fed + 1)) - decided - aside
    if len(missing) > view.waiting:
        yield from (f"sending {sequence} of the feed: is nowhere" for sequence in sorted(missing))
    for letter in view.dead:
        place = f"{letter['stream']} {letter['sequence']} for {letter['consumer']}"
        yield f"dead letter: {place}, {letter['reason']} {letter['detail']}"
    fates = {sending["sequence"] for sending in view.sendings.values()}
    for order in view.ledger.orders:
        if order.answer == ACCEPTED and order.sequence not in fates:
            yield f"order {'/'.join(order.event)}: accepted and not decided"


def _secrecy(view: View) -> Names:
    yield from view.canaries


def outcomes(view: View) -> Iterator[tuple[str, str]]:
    """Of each kept event: its pattern, and what became of it, without ids and times.

    Which of two equally near bodies leads depends on their load, so the lead is left out.
    """
    for attempt in view.ledger.tried_events().values():
        kept = view.submissions.get(_submission(attempt))
        case = view.cases.get(case_id(_submission(attempt)))
        if kept is None or case is None:
            continue
        said = {k: v for k, v in kept["events"][0]["data"].items() if v is not None}
        assigned = next((e["data"] for e in case["events"] if e["type"] == ASSIGNED), {})
        excluded = sorted(exclusion["body"] for exclusion in assigned.get("excluded", ()))
        clocks = sorted(e["data"]["clock"] for e in case["events"] if e["type"] == STARTED)
        yield attempt.pattern, f"{sorted(said.items())} {excluded} {clocks}"


def _convergence(view: View, calm: Outcomes) -> Names:
    for pattern, outcome in outcomes(view):
        if calm.get(pattern, outcome) != outcome:
            yield f"{pattern}: became something else than undisturbed"
    ordered = Counter(a.pattern for a in view.ledger.orders if a.answer == ACCEPTED)
    for case, count in ordered.items():
        state = view.cases.get(case, {}).get("state")
        if count > 1 and state != "concluded":
            yield f"case {case}: was ordered to be concluded and is {state}"


LOOKS: dict[str, Callable[[View], Names]] = {
    "I1": _nothing_lost,
    "I2": _nothing_invented,
    "I3": _one_case,
    "I4": _one_assignment,
    "I5": _effects_once,
    "I6": _deadlines,
    "I7": _totals,
    "I8": _log_is_store,
    "I9": _no_limbo,
    "I10": lambda _view: iter(()),  # `verify` checks the chain, by a program of its own
    "I11": _secrecy,
}


def _items(view: View, fate: str) -> set[tuple[str, str]]:
    return {(a["party"], a["item"]) for a in view.arrivals.values() if a["fate"] == fate}
