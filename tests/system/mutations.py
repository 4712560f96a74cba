"""Documents lost, changed and invented, each with what `verify` must say of it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from shared.contracts.case import case_id
from shared.contracts.submission import submission_id
from tests.system.happening import AGENCY

Document = dict[str, Any]
UNCHANGED: Document = {}
ALIVE = {"erased": None, "held": None, "also": None}


@dataclass(frozen=True)
class Mutation:
    """One document, the first that fits and that no other mutation has.

    `change` is an update, a new document made of the old one, or None: it is lost.
    """

    collection: str
    says: Callable[[Document], str]
    fits: Document
    change: Document | Callable[[Document], Document] | None = None
    database: str = "intake"


def lost(collection, says, fits=UNCHANGED, database="intake"):
    return Mutation(collection, says, fits, None, database)


def changed(collection, says, fits, database="intake", **fields):
    """Fields of the name with `__` for dots; None takes one away."""
    named = {name.replace("__", "."): value for name, value in fields.items()}
    update = {
        "$set": {name: value for name, value in named.items() if value is not None},
        "$unset": {name: "" for name, value in named.items() if value is None},
    }
    return Mutation(
        collection, says, fits, {verb: what for verb, what in update.items() if what}, database
    )


def invented(collection, says, fits=UNCHANGED, database="intake", **fields):
    """A second document like one that is there."""
    return Mutation(collection, says, fits, lambda old: old | fields, database)


def about(text):
    """`{_id}` and other members by their names; nested ones by index, as in `{event[id]}`."""
    return lambda document: text.format(**document)


def not_kept(member="event"):
    text = "log = store: {m[type]} {m[id]} of {m[subject]} was announced and is not kept"
    return lambda document: text.format(m=document[member])


HTTP, FEED = {"$regex": "^http:"}, {"$regex": "^feed:"}
NO_FATE = about("nothing lost: sending {sequence} of the feed is nowhere")
FIRST_FILE, SECOND_FILE = {"$regex": "/file-1$"}, {"$regex": "/file-2$"}
OF_ONE = {"owner": submission_id(AGENCY, "letter-22")}
ERASED = submission_id(AGENCY, "letter-8")
ONCE_ERASED = {"erased": {"$ne": None}, "_id": {"$ne": ERASED}}

INTAKE = [
    # what was announced
    lost("submissions", not_kept(), ALIVE),
    lost("conversations", not_kept(), {"by": "body"}),
    lost("records", not_kept(), {"event.type": "activity.recorded.v1"}),
    lost("records", not_kept(), {"event.type": "channel.announced.v1"}),
    lost("alarms", not_kept(), {"event.type": "channel.silent.v1"}),
    lost("alarms", not_kept(), {"event.type": "channel.interrupted.v1"}),
    lost("ratings", not_kept()),
    lost("relations", not_kept(), {"event.type": "submission.related.v1"}),
    changed("submissions", not_kept("erased"), ONCE_ERASED, erased=None),
    changed(
        "submissions",
        about("log = store: submission {_id} keeps another submission.received.v1"),
        ALIVE,
        event__data__category="another",
    ),
    changed(
        "alarms",
        about("log = store: alarm {_id} never announced its channel.silent.v1"),
        {"event.type": "channel.silent.v1"},
        event__id="another",
    ),
    changed("records", about("readable: record {_id} keeps an event"), {}, event__data=None),
    *(
        changed(name, about(f"announced: {name[:-1]} {{_id}} still waits"), {}, unannounced=True)
        for name in ("submissions", "conversations", "records", "alarms", "ratings", "relations")
    ),
    # sendings and their fates
    lost("arrivals", NO_FATE, {"_id": FEED, "fate": "kept"}),
    lost("arrivals", NO_FATE, {"_id": FEED, "fate": "refused"}),
    lost("arrivals", about("nothing invented: item {submission} came with no sending"),
         {"_id": HTTP, "fate": "kept", "item": "letter-3"}),
    lost("arrivals", about("nothing invented: addition"), {"_id": HTTP, "fate": "joined"}),
    changed("arrivals", about("nothing lost: sending {_id} was told joined, and nothing"),
            {"_id": HTTP, "fate": "kept", "item": "letter-20"}, fate="joined"),
    changed("arrivals", about("nothing lost: sending {_id} was told kept, and nothing"),
            {"_id": HTTP, "fate": "duplicate"}, fate="kept"),
    changed("arrivals", about("nothing lost: sending {_id} was told duplicate, and of nothing"),
            {"_id": HTTP, "fate": "duplicate"}, submission=None),
    changed("arrivals", about("nothing lost: sending {_id} became item another"),
            {"_id": FEED, "fate": "duplicate"}, submission="another"),
    changed("arrivals", about("nothing lost: sending {_id} was told refused, and is not kept"),
            {"_id": HTTP, "fate": "refused"}, sealed=None),
    changed("arrivals", about("nothing lost: sending {_id} was told refused, and is not kept"),
            {"_id": FEED, "fate": "refused"}, refusal=None),
    changed("arrivals", about("nothing lost: sending {_id} was told automatic, and is not kept"),
            {"fate": "automatic"}, sealed=None),
    changed("arrivals", about("nothing lost: sending {_id} has a fate that"),
            {"_id": FEED, "fate": "kept"}, fate="another"),
    changed("calls", about("nothing lost: call {_id} was taken in"),
            {}, state="taken", records=None, waits_since=None),
    changed("calls", about("nothing lost: call {_id} neither waits"), {}, waits_since=None),
    changed("calls", about("nothing lost: call {_id} waits without"), {}, records=None),
    # what belongs together
    changed("conversations", about("nothing invented: addition {_id} belongs to no submission"),
            {"arrival": HTTP}, submission="another"),
    invented("ratings", lambda _: "nothing invented: rating another belongs", _id="another"),
    changed("receipts", lambda _: "nothing invented: receipt of another belongs",
            {}, submission="another"),
    changed("openings", about("nothing invented: opening {_id} belongs to no submission"),
            {}, case="another"),
    lost("openings", lambda d: f"told {d['body']} who spoke, and it is not kept who asked"),
    # orders
    lost("arrivals", lambda d: f"of {d['submission']} was announced and no order says so",
         {"type": "submission.hold.v1"}),
    invented("arrivals", lambda _: "log = store: order command:another was followed and never",
             {"type": "submission.release.v1"}, _id="command:another"),
    changed("submissions", about("erased: order command:"), ONCE_ERASED, erased=None),
    changed("submissions", about("held: submission {_id}"), ALIVE, held="Luật khác"),
    changed("submissions", about("held: submission {_id}"), {"held": {"$ne": None}}, held=None),
    # what is sealed
    changed("submissions", about("sealed: submission {_id} has no text"), ALIVE,
            sealed__text=None),
    changed("submissions", about("erased: submission {_id} is left"), {"_id": ERASED},
            sealed={"text": {"content": b"", "key": "another"}}),
    lost("sealed.files", lambda _: "lacks the file of its file-1", {"_id": FIRST_FILE}),
    lost("sealed.chunks", lambda _: "lacks the file of its file-2", {"files_id": SECOND_FILE}),
    lost("data_keys", about("sealed: submission {owner} has no key for its"), OF_ONE,
         "intake_keys"),
    changed("data_keys", about("sealed: submission {owner} has another's key for its"), OF_ONE,
            "intake_keys", owner="another"),
    invented("data_keys", lambda _: "erased: data key left is left",
             {}, "intake_keys", _id="left", owner=ERASED),
    changed("conversations", about("sealed: addition {_id} has no key for its text"), {},
            sealed__text__key="another"),
    changed("openings", about("sealed: opening {_id} has no key for its reason"), {},
            sealed__reason__key="another"),
    changed("arrivals", about("sealed: sending {_id} has no key for its automatic"),
            {"fate": "automatic"}, sealed__automatic__key="another"),
    changed("calls", about("sealed: call {_id} has no key for its records"), {},
            records__0__key="another"),
    # views of others
    lost("feeds", lambda _: "tells of a gap that the feed of a-so-xay-dung has not come to",
         {"_id": "a-so-xay-dung"}),
    changed("feeds", about("one view: feed of {_id} is out of order"), {"_id": "a-so-y-te"},
            ahead=[[5, 4]]),
    lost("cases", about("one view: case {_id} has another"), {"state": "accepted"}),
    invented("cases", lambda _: "one view: case seen is known to intake", _id="seen"),
    changed("cases", about("one view: case {_id} has another lead"), {"state": "concluded"},
            lead="another"),
    changed("cases", about("one view: case {_id} has another state"), {"state": "concluded"},
            state="accepted"),
]  # fmt: skip

ROUTING = [
    lost("cases", about("has no case {_id}"), {"acted": []}, "routing"),
    invented("cases", lambda _: "exactly one case: case another has no submission",
             {}, "routing", _id="another"),
    changed("cases", about("log = store: case {_id} never announced case.opened.v1"),
            {"opening.0.type": "case.opened.v1"}, "routing", opening__0__id="another"),
    changed("cases", about("of case {_id} is not kept"), {"acted.0": {"$exists": True}}, "routing",
            acted=[]),
    changed("cases", about("one assignment: case {_id} has versions"), {}, "routing",
            opening__0__data__version=9),
    changed("cases", about("one assignment: case {_id} has 0 assignments"),
            {"opening.1.type": "case.assigned.v1"}, "routing",
            opening__1__type="clock.started.v1"),
    changed("cases", about("no conflict: case {_id} is held by excluded another"),
            {"opening.1.type": "case.assigned.v1"}, "routing",
            opening__1__data__lead="another", opening__1__data__excluded=[{"body": "another"}]),
]  # fmt: skip

REPORTING = [
    lost("case_rows", about("nothing lost: case {_id} has no row"),
         {"_id": case_id(submission_id(AGENCY, "letter-22"))}, "reporting"),
    invented("case_rows", lambda _: "nothing invented: row counted has no case",
             {}, "reporting", _id="counted"),
    lost("activity_rows", about("nothing lost: activity {_id} has no row"), {}, "reporting"),
    lost("reports", about("log = store: report {event[subject]} is not kept"), {}, "reporting"),
    changed("reports", about("log = store: report {_id} is kept and was never published"),
            {}, "reporting", event__id="another"),
]  # fmt: skip

MUTATIONS = [*INTAKE, *ROUTING, *REPORTING]


class Mutated:
    """Applies mutations, each to a document of its own, and takes them back."""

    def __init__(self, mongo, prefix="langnghe"):
        self._mongo, self._prefix = mongo, prefix
        self._undo: list[tuple[Any, Any, Document | None]] = []
        self._used: set[tuple[str, str, Any]] = set()

    async def apply(self, mutation: Mutation) -> str:
        """What `verify` must say."""
        place = (mutation.database, mutation.collection)
        collection = self._mongo[f"{self._prefix}_{mutation.database}"][mutation.collection]
        is_invented = callable(mutation.change)
        used = [] if is_invented else [u[2] for u in self._used if u[:2] == place]
        old = await collection.find_one({"$and": [mutation.fits, {"_id": {"$nin": used}}]})
        assert old is not None, mutation
        if is_invented:
            new = mutation.change(old)
            await collection.insert_one(new)
            self._undo.append((collection, new["_id"], None))
            return mutation.says(old)
        self._used.add((*place, old["_id"]))
        self._undo.append((collection, old["_id"], old))
        if mutation.change is None:
            await collection.delete_one({"_id": old["_id"]})
        else:
            await collection.update_one({"_id": old["_id"]}, mutation.change)
        return mutation.says(old)

    async def take_back(self) -> None:
        for collection, key, old in reversed(self._undo):
            await collection.delete_one({"_id": key})
            if old is not None:
                await collection.insert_one(old)
        self._undo.clear()
        self._used.clear()
