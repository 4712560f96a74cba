"""What is sealed can be opened by its own key, and what was erased by none."""

from collections.abc import Iterator, Mapping

from deploy.verify.finding import Finding
from deploy.verify.seen import Kept, Seen
from shared.contracts.case import case_id
from shared.runtime.mongo import Document

Owned = tuple[str, str, str, Document]
"""What it is, its id, who owns its keys, and the document."""


def sealed(seen: Seen) -> Iterator[Finding]:
    intake = seen.intake
    for noun, name, owner, document in _owned(intake):
        for part in document["parts"]:
            about = f"{noun} {name}"
            key = part.get("key")
            if key not in intake.keys:
                yield Finding("sealed", about, f"has no key for its {part['name']}")
            elif intake.keys[key] != owner:
                yield Finding("sealed", about, f"has another's key for its {part['name']}")
            if part.get("file") and part["file"] not in intake.whole_files:
                yield Finding("sealed", about, f"lacks the file of its {part['name']}")
    yield from _submissions(intake)


def orphan_keys(intake: Kept) -> set[str]:
    """Names of the data keys that nothing names."""
    named = {part.get("key") for *_, document in _owned(intake) for part in document["parts"]}
    return intake.keys.keys() - named


def _submissions(intake: Kept) -> Iterator[Finding]:
    """All that a submission must hold sealed, or, once erased, must hold no more."""
    erased = {key for key, s in intake.submissions.items() if "erased" in s}
    for key, submission in sorted(intake.submissions.items()):
        if key not in erased:
            for part in sorted({"identity", "text"} - {p["name"] for p in submission["parts"]}):
                yield Finding("sealed", f"submission {key}", f"has no {part}")
    left = [f"data key {name}" for name, owner in intake.keys.items() if owner in erased]
    left += [
        f"{noun} {name}"
        for noun, name, owner, document in _owned(intake)
        if owner in erased and document["parts"]
    ]
    for about in sorted(left):
        yield Finding("erased", about, "is left of what was erased")


def _owned(intake: Kept) -> Iterator[Owned]:
    submissions = _submission_by_case(intake)
    for key, document in sorted(intake.submissions.items()):
        yield "submission", key, key, document
    for key, document in sorted(intake.conversations.items()):
        yield "addition", key, document["submission"], document
    for key, document in sorted(intake.openings.items()):
        yield "opening", key, submissions.get(document["case"], ""), document
    for key, document in sorted(intake.arrivals.items()):
        yield "sending", key, key, document
    for key, document in sorted(intake.calls.items()):
        yield "call", key, f"call/{key}", document


def _submission_by_case(intake: Kept) -> Mapping[str, str]:
    """Of the case that each opened, and of the parts that were split from it."""
    parts = {case: view["submission"] for case, view in intake.cases.items() if view.get("parent")}
    return parts | {case_id(submission): submission for submission in intake.submissions}
