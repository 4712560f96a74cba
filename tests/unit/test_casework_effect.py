"""What new rules would do is summed over pages, asked again where it must be, and said in words."""

from datetime import date
from types import SimpleNamespace

import pytest

from deploy.casework import Effect, Names, effect_of
from deploy.connection import NotRunning
from shared.contracts.case import Reason
from shared.contracts.effect import BodyMoves, CaseMove, EffectAsked, EffectTold
from tests.examples_routing import directory, label

WHY = Reason(rule="not-in-force", citation="", vi="A không còn.", en="A is gone.\x1b[2J")


def page(moves=0, **more) -> EffectTold:
    return EffectTold(status="told", open=9, weighed=3, moves=moves, **more)


def move(case: str, lead: str = "b") -> CaseMove:
    return CaseMove(case=case, lead_before="a", lead=lead, reasons=(WHY,))


def bodies(leave: int):
    gone = BodyMoves(body="a", leave=leave, arrive=0)
    return (gone, BodyMoves(body="b", leave=0, arrive=leave))


class Routing:
    """Says these answers, one after the other; `asked` are the questions."""

    max_payload = 10**6

    def __init__(self, *answers: EffectTold) -> None:
        self.answers, self.asked = list(answers), list[EffectAsked]()

    async def request(self, subject, question, timeout):  # noqa: ASYNC109 - as the client has it
        assert subject == "ask.operator.routing.effect"
        self.asked.append(EffectAsked.model_validate_json(question))
        return SimpleNamespace(data=self.answers.pop(0).model_dump_json().encode())

    async def effect(self) -> Effect:
        return await effect_of(self, "directory", directory(), lambda *_: None)


async def test_pages_add_up():
    early, late = date(2026, 1, 5), date(2026, 2, 5)
    first = page(2, bodies=bodies(2), cases=(move("c1"), move("c2")), next="p", terms=1)
    second = page(1, bodies=bodies(1), cases=(move("c3"),), terms=2, earliest=early)
    routing = Routing(first.model_copy(update={"earliest": late}), second)

    effect = await routing.effect()

    assert (effect.open, effect.moves, effect.terms, effect.earliest) == (6, 3, 3, early)
    assert (effect.leave["a"], effect.arrive["b"]) == (3, 3)
    assert [case.case for case in effect.cases] == ["c1", "c2", "c3"]


async def test_the_rules_are_sent_once():
    routing = Routing(page(next="p"), page(next="q"), page())

    await routing.effect()

    assert [bool(asked.directory) for asked in routing.asked] == [True, False, False]
    assert [asked.after for asked in routing.asked] == ["", "p", "q"]


async def test_the_rules_are_sent_again_where_routing_asks_for_them():
    again = EffectTold(status="send-again")
    routing = Routing(page(next="p"), again, page(next="q"), page())

    effect = await routing.effect()

    assert [bool(asked.directory) for asked in routing.asked] == [True, False, True, False]
    assert [asked.after for asked in routing.asked] == ["", "p", "p", "q"]
    assert effect.open == 9


@pytest.mark.parametrize("status", ["invalid", "not-yours", "send-again"])
async def test_no_answer_is_said_to_be_none(status):
    with pytest.raises(NotRunning, match="does not say"):
        await Routing(EffectTold(status=status, advice="…")).effect()


async def said(language: str, *pages: EffectTold) -> list[str]:
    effect = await Routing(*pages).effect()
    return list(effect.lines(Names(bodies={"a": label("Mặt trận xã")}), language))


async def test_it_is_said_in_both_languages():
    told = page(3, bodies=bodies(3), cases=(move("c1"), move("c2", "a")), terms=2)
    told = told.model_copy(update={"earliest": date(2026, 1, 5)})

    assert await said("vi", told) == [
        "3 vụ việc chưa giải quyết xong sẽ được chuyển, trong tổng số 3.",
        "  Mặt trận xã: chuyển đi 3, nhận thêm 0",
        "  b: chuyển đi 0, nhận thêm 3",
        "  c1: từ Mặt trận xã sang b",
        "    - A không còn.",
        "  c2: Mặt trận xã vẫn chủ trì, có thay đổi về tổ chức phối hợp",
        "    - A không còn.",
        "  … và 1 vụ việc khác",
        "2 thời hạn sẽ có ngày cuối cùng khác, sớm nhất là 05/01/2026.",
    ]
    english = await said("en", told)
    assert english[0] == "3 open cases would move, of 3."
    assert english[-1] == "2 last days would be others, the earliest of them 2026-01-05."
    assert "    - A is gone.[2J" in english


@pytest.mark.parametrize(
    ("moves", "words"), [(0, "0 open cases would move"), (1, "1 open case would move")]
)
async def test_none_and_one_are_counted_as_people_do(moves, words):
    [first, *_] = await said("en", page(moves, cases=(move("c1"),) * moves))

    assert first.startswith(words)
