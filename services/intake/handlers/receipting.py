"""What somebody may do under a receipt code: see how far it is, say more, rate the answer.

Whoever has the code is who spoke; nobody asks for more. An unknown code and a wrong one are the
same: each costs one slow hash and gets the same answer.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson

from services.intake.domain.identity import file_facts
from services.intake.domain.receipt import without_codes
from services.intake.domain.status import in_words, part_in_words
from services.intake.handlers.opening import SOURCE
from services.intake.handlers.ports import (
    Cases,
    CaseView,
    Contents,
    Conversations,
    DataKeys,
    KeptRecord,
    Receipts,
    Records,
    RuleVersions,
    Said,
    Speaker,
)
from services.intake.handlers.reading import supplemented
from services.intake.handlers.telling import conversation
from services.intake.vault import close, draw_key
from shared.contracts import SubmissionRated, SubmissionSupplemented
from shared.contracts.envelope import AnyEvent, Event, derived_id
from shared.contracts.ingress import Enclosure
from shared.contracts.submission import Addition

CONCLUDED = "concluded"


@dataclass(frozen=True, slots=True)
class UnderReceipt:
    """`wake` wakes the relay, which announces what was said."""

    receipts: Receipts
    cases: Cases
    contents: Contents
    conversations: Conversations
    ratings: Records
    data_keys: DataKeys
    rules: RuleVersions
    now: Callable[[], datetime]
    wake: Callable[[], None]

    async def status(self, code: str) -> dict[str, Any] | None:
        """How far it is, and what was said since; None for a code that nobody was given.

        `state` is that of the case that the submission opened; `cases` has each of a letter that
        was split, by kind. Nobody is named but who leads a case.
        """
        submission = await self.receipts.find(code)
        if submission is None:
            return None
        case = await self.cases.of(submission)
        state = _state(case)
        said = await conversation(self.contents, self.data_keys, submission)
        return {
            "state": state,
            "words": in_words(state, await self._name(case.lead if case else None)),
            "cases": [await self._told(each) for each in await self.cases.all_of(submission)],
            "conversation": said,
            "may_rate": state == CONCLUDED,
        }

    async def say(self, code: str, item: str, text: str, files: Sequence[Enclosure]) -> bool:
        """Keep one more thing said; the same `item` again is the same. False: unknown code."""
        submission = await self.receipts.find(code)
        if submission is None:
            return False
        at = self.now()
        key = draw_key(submission)
        await self.data_keys.keep([key])
        name = derived_id(submission, "said", item)
        parts = {
            "text": orjson.dumps(
                {"text": without_codes(text), "files": [file_facts(f) for f in files]}
            )
        }
        parts |= {f"file-{n}": file.content for n, file in enumerate(files, 1)}
        said = Said(
            id=name,
            item=item,
            submission=submission,
            by=Speaker.REPORTER,
            keys=(name,),
            arrival=f"receipt:{name}",
            event=supplemented(
                submission,
                name,
                SubmissionSupplemented(addition=Addition.MESSAGE, files=len(files)),
                time=at,
                recorded=at,
            ),
            sealed={part: close(key, part, content) for part, content in parts.items()},
            data_keys=(key,),
        )
        await self.conversations.add_once([said], unannounced=True)
        self.wake()
        return True

    async def rate(self, code: str, score: int) -> bool:
        """Keep one rating, once, after the answer. False: unknown code, or not answered yet."""
        submission = await self.receipts.find(code)
        case = await self.cases.of(submission) if submission else None
        if submission is None or case is None or case.state != CONCLUDED:
            return False
        at = self.now()
        event: AnyEvent = Event[SubmissionRated](
            id=derived_id(submission, SubmissionRated.TYPE),
            source=SOURCE,
            type=SubmissionRated.TYPE,
            subject=submission,
            time=at,
            recordedtime=at,
            correlationid=submission,
            data=SubmissionRated(score=score),
        )
        rating = KeptRecord(key=submission, arrival=f"receipt:{event.id}", event=event)
        await self.ratings.add_once([rating], unannounced=True)
        self.wake()
        return True

    async def _told(self, case: CaseView) -> dict[str, Any]:
        state, kind = _state(case), case.kind.value if case.kind else None
        words = part_in_words(kind, state, await self._name(case.lead))
        return {**({"kind": kind} if kind else {}), "state": state, "words": words}

    async def _name(self, body: str | None) -> dict[str, str]:
        bodies = (await self.rules.latest()).directory.bodies
        label = next((b.name for b in bodies if b.code == body), None)
        return label.model_dump(exclude_none=True) if label else {}


def _state(case: CaseView | None) -> str:
    """Of a case that nobody leads yet, as far as is known, that it was received."""
    return case.state if case and case.lead else "received"
