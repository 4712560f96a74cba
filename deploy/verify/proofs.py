"""Checks what the chain claims: RFC 9162 proofs, signed checkpoints, receipts.

Written anew from the specifications, and importing nothing of what writes the chain: a mistake
there is not repeated here.
"""

from base64 import b64decode
from binascii import Error as NoBase64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

import rfc8785
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

MOST_SIZE = 2**53


class Wrong(Exception):
    """The claim does not hold; the text says which part."""


@dataclass(frozen=True, slots=True)
class Head:
    """What a checkpoint says: the first `size` entries have this root."""

    size: int
    root: bytes


class Verifier:
    """The public key of one log, from its text `<name>+<id>+<base64>`."""

    def __init__(self, text: str) -> None:
        try:
            self.name, key_id, encoded = text.strip().split("+", 2)
            content = b64decode(encoded, validate=True)
            self._id = bytes.fromhex(key_id)
            self._key = Ed25519PublicKey.from_public_bytes(content[1:])
        except ValueError:
            raise Wrong("this is no public key of a chain") from None
        expected = sha256(self.name.encode() + b"\n" + content).digest()[:4]
        if content[:1] != b"\x01" or self._id != expected:
            raise Wrong("the public key is damaged: its name and its id do not fit")

    def read(self, note: str) -> Head:
        """What a checkpoint says; raises `Wrong` unless this key signed it.

        Signatures of others, such as witnesses, are passed over.
        """
        text, found, signatures = note.partition("\n\n")
        if not found:
            raise Wrong("this is no signed checkpoint")
        head = _head(text, self.name)
        for line in signatures.splitlines():
            dash, _, rest = line.partition(" ")
            name, _, encoded = rest.partition(" ")
            if dash == "\N{EM DASH}" and name == self.name and self._signed(text, encoded):
                return head
        raise Wrong("the checkpoint is not signed by this key")

    def _signed(self, text: str, encoded: str) -> bool:
        try:
            signature = b64decode(encoded, validate=True)
            if signature[:4] != self._id:
                return False
            self._key.verify(signature[4:], f"{text}\n".encode())
        except (ValueError, InvalidSignature):
            return False
        return True


def _head(text: str, origin: str) -> Head:
    lines = text.split("\n")
    try:
        said, size, root = lines[0], lines[1], b64decode(lines[2], validate=True)
        head = Head(int(size), root)
    except (IndexError, ValueError):
        raise Wrong("this is no signed checkpoint") from None
    if said != origin:
        raise Wrong("the checkpoint is of another log")
    if (
        size != str(head.size)
        or not 0 <= head.size < MOST_SIZE
        or len(root) != sha256().digest_size
    ):
        raise Wrong("this is no signed checkpoint")
    return head


def leaf(entry: bytes) -> bytes:
    return sha256(b"\x00" + entry).digest()


def node(left: bytes, right: bytes) -> bytes:
    return sha256(b"\x01" + left + right).digest()


class Tree:
    """Grows by one leaf at a time; remembers the roots of its perfect subtrees, left to right."""

    def __init__(self) -> None:
        self.size = 0
        self._roots: list[bytes] = []

    def add(self, hashed: bytes) -> None:
        size = self.size
        while size & 1:
            hashed = node(self._roots.pop(), hashed)
            size >>= 1
        self._roots.append(hashed)
        self.size += 1

    def root(self) -> bytes:
        if not self._roots:
            return sha256(b"").digest()
        root = self._roots[-1]
        for left in self._roots[-2::-1]:
            root = node(left, root)
        return root


def check_inclusion(hashed: bytes, index: int, path: Sequence[bytes], head: Head) -> None:
    """RFC 9162, 2.1.3.2; raises `Wrong` unless the leaf stands at `index`, counted from 0."""
    if not 0 <= index < head.size:
        raise Wrong("the checkpoint does not reach as far as the entry")
    number, last, found = index, head.size - 1, hashed
    for sibling in path:
        if last == 0:
            raise Wrong("the path is too long")
        if number & 1 or number == last:
            found = node(sibling, found)
            while number and not number & 1:
                number, last = number >> 1, last >> 1
        else:
            found = node(found, sibling)
        number, last = number >> 1, last >> 1
    if last or found != head.root:
        raise Wrong("the entry is not in the log of this checkpoint")


def check_consistency(old: Head, new: Head, path: Sequence[bytes]) -> None:
    """RFC 9162, 2.1.4.2; raises `Wrong` unless `new` only adds to `old`."""
    wrong = Wrong("the later checkpoint is not of a log that only grew")
    if not 0 < old.size <= new.size or (old.size == new.size and (path or old.root != new.root)):
        raise wrong
    if old.size == new.size:
        return
    steps = list(path) if old.size & (old.size - 1) else [old.root, *path]
    number, last = old.size - 1, new.size - 1
    while number & 1:
        number, last = number >> 1, last >> 1
    if not steps:
        raise wrong
    before = after = steps[0]
    for step in steps[1:]:
        if last == 0:
            raise wrong
        if number & 1 or number == last:
            before, after = node(step, before), node(step, after)
            while number and not number & 1:
                number, last = number >> 1, last >> 1
        else:
            after = node(after, step)
        number, last = number >> 1, last >> 1
    if last or before != old.root or after != new.root:
        raise wrong


def check_receipt(receipt: Mapping[str, Any], key: Verifier) -> tuple[str, Head]:
    """The submission that a receipt proves to be in the log, and the log's head then.

    Raises `Wrong`; says nothing of what was said, nor by whom.
    """
    try:
        entry, note = receipt["entry"], receipt["checkpoint"]
        sequence, about, subject = entry["sequence"], entry["about"], entry["subject"]
        path = [b64decode(step, validate=True) for step in receipt["path"]]
        canonical = rfc8785.dumps(entry)
    except (KeyError, TypeError, ValueError, NoBase64, rfc8785.CanonicalizationError):
        raise Wrong("this is no receipt of the chain") from None
    if not isinstance(sequence, int) or not isinstance(about, str) or not isinstance(note, str):
        raise Wrong("this is no receipt of the chain")
    if subject != "submission.received.v1":
        raise Wrong("the entry is not about the receipt of a submission")
    head = key.read(note)
    check_inclusion(leaf(canonical), sequence - 1, path, head)
    return about, head
