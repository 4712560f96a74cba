"""What one store knows and the other does not: the receipts that have to be asked for again.

Ids alone are told: of submissions, cases and sendings. They name nobody.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field

from nats.aio.client import Client

from deploy.connection import Endpoints
from deploy.verify.routing import events_of
from deploy.verify.seen import Seen, look
from shared.contracts import (
    ActivityRecorded,
    ChannelAnnounced,
    SubmissionRated,
    SubmissionReceived,
    SubmissionSupplemented,
)

RECORDS = (ActivityRecorded.TYPE, ChannelAnnounced.TYPE)
ADDITIONS = (SubmissionSupplemented.TYPE, SubmissionRated.TYPE)


@dataclass(slots=True)
class Gap:
    """By kind, ids in order.

    `texts`: submissions that were announced and are not kept; the agency has to send them again.
    `records`: activities and channels of which the same holds; `additions`: what was said or
    rated of the submissions named.
    `unsaid`: kept, and not announced.
    `unreadable`: kept, and a key that opens a part of them is not; older keys were restored.
    `cases`: of which more was announced than routing keeps.
    `reports`: published, and not kept.
    `sendings`: sequences that the feed confirmed and that nobody knows the fate of.
    """

    texts: list[str] = field(default_factory=list)
    records: list[str] = field(default_factory=list)
    additions: list[str] = field(default_factory=list)
    unsaid: list[str] = field(default_factory=list)
    unreadable: list[str] = field(default_factory=list)
    cases: list[str] = field(default_factory=list)
    reports: list[str] = field(default_factory=list)
    sendings: list[int] = field(default_factory=list)

    def __bool__(self) -> bool:
        return any(asdict(self).values())


async def find_gap(client: Client, endpoints: Endpoints) -> Gap:
    """Reads everything, as `verify` does; nothing of it has to run but the two stores."""
    return gap_of(await look(client, endpoints, relay_seconds=0.0))


def gap_of(seen: Seen) -> Gap:
    kept = seen.intake.submissions
    said = _about(seen, (SubmissionReceived.TYPE,))
    routed = {event["id"] for case in seen.cases.values() for event in events_of(case)}
    reported = {document["event"]["id"] for document in seen.kept_reports.values()}
    return Gap(
        texts=sorted(said - kept.keys()),
        records=sorted(_about(seen, RECORDS) - seen.intake.records.keys()),
        additions=_additions(seen),
        unsaid=sorted(kept.keys() - said),
        unreadable=sorted(
            key
            for key, document in kept.items()
            if any(part["key"] not in seen.intake.keys for part in document["parts"])
            and "erased" not in document
        ),
        cases=sorted(
            {
                event.subject or ""
                for key, event in seen.events.items()
                if event.type.startswith(("case.", "clock.")) and key not in routed | seen.meanwhile
            }
        ),
        reports=sorted(
            f"{event.data.nats_subject()} revision {event.data.revision}"
            for key, event in seen.reports.items()
            if key not in reported
        ),
        sendings=_sendings(seen),
    )


def _about(seen: Seen, types: Sequence[str]) -> set[str]:
    return {event.subject or "" for event in seen.said(*types).values()}


def _additions(seen: Seen) -> list[str]:
    intake = seen.intake
    kept = {
        document["event"]["id"]
        for documents in (intake.conversations, intake.ratings)
        for document in documents.values()
    }
    said = seen.said(*ADDITIONS)
    return sorted({event.subject or "" for key, event in said.items() if key not in kept})


def _sendings(seen: Seen) -> list[int]:
    decided = {
        arrival["sequence"]
        for key, arrival in seen.intake.arrivals.items()
        if key.startswith("feed:")
    }
    return sorted(set(range(1, seen.fed + 1)) - decided - seen.set_aside - seen.waiting)
