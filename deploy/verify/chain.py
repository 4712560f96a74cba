"""Recomputes the chain from the log alone and names the first place where something is wrong.

Shares no code with what writes it. Reads each message once and remembers one hash for each bit
of their number.
"""

from base64 import b64encode
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from hashlib import sha256

import orjson

from deploy.verify.finding import Finding
from deploy.verify.proofs import Head, Tree, Verifier, Wrong, leaf

INVARIANT = "chain"
Message = tuple[int, str, bytes]
"""Sequence, subject and body, as the stream of events holds them."""


@dataclass(frozen=True, slots=True)
class Claim:
    """A signed checkpoint, and where it was found."""

    where: str
    note: str
    size: int | None = None
    """What is said beside the note."""
    root: str | None = None
    witnessed: bool = False
    """Kept by somebody else: the log's own checkpoints do not vouch against it."""


@dataclass(slots=True)
class Checked:
    """`size` and `root` are those of the log as it was read, if it was read to its end.

    `kept` of its messages have a hash in the chain; so many `checkpoints` are signed by the key.
    """

    findings: list[Finding] = field(default_factory=list)
    size: int = 0
    kept: int = 0
    root: bytes = b""
    checkpoints: int = 0


Heads = dict[int, list[tuple[Claim, Head]]]
"""By size: what was signed."""


async def check_chain(
    messages: AsyncIterator[Message],
    kept: AsyncIterator[bytes],
    claims: Sequence[Claim],
    key: Verifier,
) -> Checked:
    """Hold the log against the leaves that were kept of it, and against signed checkpoints.

    The first message that is missing, or is not the one that was chained, ends the search for
    others: from there on everything moved.
    """
    checked = Checked()
    heads = _heads(claims, key, checked)
    tree = Tree()
    good = witnessed = 0
    async for sequence, subject, body in messages:
        if sequence != tree.size + 1:
            checked.findings.append(_finding(tree.size + 1, "is missing"))
            return checked
        hashed = leaf(entry_of(sequence, subject, body))
        expected = await anext(kept, None)
        if expected is not None:
            checked.kept += 1
            if expected != hashed:
                checked.findings.append(_finding(sequence, "is not the one that was chained"))
                return checked
        tree.add(hashed)
        for claim, head in heads.pop(sequence, ()):
            if head.root != tree.root():
                first = (witnessed if claim.witnessed else good) + 1
                text = f"are not those that the checkpoint {claim.where} was signed over"
                about = f"messages {first} to {sequence} of EVENTS"
                checked.findings.append(Finding(INVARIANT, about, text))
                return checked
            good, witnessed = sequence, sequence if claim.witnessed else witnessed
    checked.size, checked.root = tree.size, tree.root()
    _ends_early(checked, heads, [hashed async for hashed in kept])
    if not checked.findings and checked.kept < good:
        text = "was signed over and is chained no more: reporting's hashes are lost from here on"
        checked.findings.append(_finding(checked.kept + 1, text))
    return checked


def entry_of(sequence: int, subject: str, body: bytes) -> bytes:
    """What is hashed of a message: canonical JSON of its place, subject, digest, whom it is about.

    `docs/adr/0017` says it in words.
    """
    try:
        event = orjson.loads(body)
    except orjson.JSONDecodeError:
        event = None
    about = event.get("subject") if isinstance(event, dict) else None
    said = orjson.dumps(about if isinstance(about, str) else None).decode()
    digest, where = sha256(body).hexdigest(), orjson.dumps(subject).decode()
    parts = (f'"about":{said}', f'"digest":"{digest}"', f'"sequence":{sequence}')
    return ("{" + ",".join((*parts, f'"subject":{where}')) + "}").encode()


def _heads(claims: Sequence[Claim], key: Verifier, checked: Checked) -> Heads:
    """By size: what was signed. What was not signed by this key is a finding."""
    heads: Heads = {}
    for claim in claims:
        try:
            head = _head_of(claim, key)
        except Wrong as wrong:
            checked.findings.append(
                Finding(INVARIANT, f"the checkpoint {claim.where}", f"does not hold: {wrong}")
            )
        else:
            checked.checkpoints += 1
            heads.setdefault(head.size, []).append((claim, head))
    return heads


def _head_of(claim: Claim, key: Verifier) -> Head:
    head = key.read(claim.note)
    if claim.size is not None and claim.size != head.size:
        raise Wrong("it says another size than was signed")
    if claim.root is not None and claim.root != b64encode(head.root).decode():
        raise Wrong("it says another root than was signed")
    return head


def _ends_early(checked: Checked, heads: Heads, rest: Sequence[bytes]) -> None:
    if rest:
        text = f"is missing: the log ends here, {len(rest)} messages were chained behind"
        checked.findings.append(_finding(checked.size + 1, text))
    for size in sorted(heads):
        if size > checked.size:
            where = heads[size][0][0].where
            text = f"is missing: the log ends here, the checkpoint {where} was signed over {size}"
            checked.findings.append(_finding(checked.size + 1, text))


def _finding(sequence: int, wrong: str) -> Finding:
    return Finding(INVARIANT, f"message {sequence} of EVENTS", wrong)
