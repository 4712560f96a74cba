"""The Merkle tree of RFC 9162 (Certificate Transparency 2.0), section 2.1, with SHA-256."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from hashlib import sha256

EMPTY_ROOT = sha256(b"").digest()
LEAF, NODE = b"\x00", b"\x01"
"""A leaf can never be taken for a node, nor a node for a leaf."""


def leaf_hash(entry: bytes) -> bytes:
    return sha256(LEAF + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    return sha256(NODE + left + right).digest()


@dataclass(frozen=True, slots=True)
class Frontier:
    """All that a growing tree of `size` leaves has to remember.

    `peaks` are the roots of its perfect subtrees, from left to right: one for each bit that is
    set in `size`. Adding n leaves costs n hashes of nodes on average.
    """

    size: int = 0
    peaks: tuple[bytes, ...] = ()

    def extended(self, leaves: Iterable[bytes]) -> "Frontier":
        size, peaks = self.size, list(self.peaks)
        for leaf in leaves:
            peak, rest = leaf, size
            while rest & 1:
                peak = node_hash(peaks.pop(), peak)
                rest >>= 1
            peaks.append(peak)
            size += 1
        return Frontier(size, tuple(peaks))

    def root(self) -> bytes:
        if not self.peaks:
            return EMPTY_ROOT
        *left, root = self.peaks
        for peak in reversed(left):
            root = node_hash(peak, root)
        return root


def inclusion_path(index: int, leaves: Sequence[bytes]) -> list[bytes]:
    """PATH(index, leaves), 2.1.3.1: with the leaf it gives the root; `index` counts from 0."""
    path: list[bytes] = []
    start, end = 0, len(leaves)
    while end - start > 1:
        middle = start + _split(end - start)
        if index < middle:
            path.append(_root(leaves[middle:end]))
            end = middle
        else:
            path.append(_root(leaves[start:middle]))
            start = middle
    path.reverse()
    return path


def consistency_path(size: int, leaves: Sequence[bytes]) -> list[bytes]:
    """PROOF(size, leaves), 2.1.4.1: the tree of the first `size` leaves is a part of this one.

    Needs 0 < size <= len(leaves).
    """
    path: list[bytes] = []
    start, end, whole = 0, len(leaves), True
    while end > size:
        middle = start + _split(end - start)
        if size <= middle:
            path.append(_root(leaves[middle:end]))
            end = middle
        else:
            path.append(_root(leaves[start:middle]))
            start, whole = middle, False
    if not whole:
        path.append(_root(leaves[start:end]))
    path.reverse()
    return path


def _split(count: int) -> int:
    """The greatest power of two below `count`."""
    return 1 << (count - 1).bit_length() - 1


def _root(leaves: Sequence[bytes]) -> bytes:
    return Frontier().extended(leaves).root()
