"""Cases as the bodies that hold them read them: asked of routing, and said in words."""

from deploy.casework.asking import ask, lead_of, readers, whole_case, worklist
from deploy.casework.foretelling import Effect, effect_of
from deploy.casework.saying import Explainer, Names

__all__ = [
    "Effect",
    "Explainer",
    "Names",
    "ask",
    "effect_of",
    "lead_of",
    "readers",
    "whole_case",
    "worklist",
]
