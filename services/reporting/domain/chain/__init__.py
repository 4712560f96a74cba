"""The chain over everything announced: entries, their Merkle tree, signed checkpoints.

`deploy/verify/chain.py` checks it and shares no code with it.
"""

from services.reporting.domain.chain.entry import Logged, leaf_of
from services.reporting.domain.chain.note import Signer
from services.reporting.domain.chain.tree import (
    Frontier,
    consistency_path,
    inclusion_path,
    leaf_hash,
    node_hash,
)

__all__ = [
    "Frontier",
    "Logged",
    "Signer",
    "consistency_path",
    "inclusion_path",
    "leaf_hash",
    "leaf_of",
    "node_hash",
]
