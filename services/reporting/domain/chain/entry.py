"""What of a message is hashed: its place, its subject, whom it is about, and its exact bytes."""

from dataclasses import dataclass
from hashlib import sha256

import orjson

from services.reporting.domain.chain.tree import leaf_hash


@dataclass(frozen=True, slots=True)
class Logged:
    """One message of the stream of events, as the server keeps it."""

    sequence: int
    subject: str
    body: bytes


def entry_of(logged: Logged) -> bytes:
    """The entry, as canonical JSON (RFC 8785).

    Of the body it holds the SHA-256 alone, so that an entry can be shown without what the event
    says; `about` is the event's own subject, e.g. the submission, and null where it has none.
    """
    return orjson.dumps(
        {
            "about": _about(logged.body),
            "digest": sha256(logged.body).hexdigest(),
            "sequence": logged.sequence,
            "subject": logged.subject,
        },
        option=orjson.OPT_SORT_KEYS,
    )


def leaf_of(logged: Logged) -> bytes:
    return leaf_hash(entry_of(logged))


def _about(body: bytes) -> str | None:
    """A message that nobody can read is chained as well."""
    try:
        event = orjson.loads(body)
    except orjson.JSONDecodeError:
        return None
    about = event.get("subject") if isinstance(event, dict) else None
    return about if isinstance(about, str) else None
