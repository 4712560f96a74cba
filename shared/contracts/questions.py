"""Every question that a service answers, on `ask.<party>.<service>.<question>`."""

from dataclasses import dataclass

from pydantic import BaseModel

from shared.contracts.audit import CheckpointTold
from shared.contracts.effect import EffectAsked, EffectTold
from shared.contracts.ingress import FatesAsked, FatesTold, KeyTold
from shared.contracts.protection import (
    IdentityAsked,
    MessageAsked,
    TextAsked,
    TextReadersAsked,
    Told,
)
from shared.contracts.report import CountAsked, CountTold, RecountAsked, RecountTold
from shared.contracts.worklist import (
    CaseAsked,
    CaseTold,
    LoadAsked,
    LoadTold,
    ReadersAsked,
    ReadersTold,
    UnsealingsAsked,
    UnsealingsTold,
    WorklistAsked,
    WorklistTold,
)


@dataclass(frozen=True, slots=True)
class Question:
    """`asked` is the content of the question, None where it is not read; `told` the answer's."""

    service: str
    name: str
    asked: type[BaseModel] | None
    told: type[BaseModel]

    def nats_subject(self, party: str) -> str:
        return f"ask.{party}.{self.service}.{self.name}"


QUESTIONS: tuple[Question, ...] = (
    Question("intake", "fates", FatesAsked, FatesTold),
    Question("intake", "key", None, KeyTold),
    Question("intake", "text", TextAsked, Told),
    Question("intake", "identity", IdentityAsked, Told),
    Question("intake", "say", MessageAsked, Told),
    Question("intake", "readers", TextReadersAsked, Told),
    Question("routing", "fates", FatesAsked, FatesTold),
    Question("routing", "worklist", WorklistAsked, WorklistTold),
    Question("routing", "case", CaseAsked, CaseTold),
    Question("routing", "load", LoadAsked, LoadTold),
    Question("routing", "unsealings", UnsealingsAsked, UnsealingsTold),
    Question("routing", "readers", ReadersAsked, ReadersTold),
    Question("routing", "effect", EffectAsked, EffectTold),
    Question("reporting", "fates", FatesAsked, FatesTold),
    Question("reporting", "recount", RecountAsked, RecountTold),
    Question("reporting", "count", CountAsked, CountTold),
    Question("reporting", "checkpoint", None, CheckpointTold),
)
