"""`explain` says a case in words, in both languages, and nothing of it that is no letter."""

import string
from dataclasses import replace
from datetime import timedelta

import pytest

from deploy.casework.saying import Explainer, Names
from deploy.casework.words import STEPS, WORDS
from deploy.cli.casework import listed
from services.routing.domain import worklist
from services.routing.domain.clocks import Standing
from services.routing.domain.opening import open_case
from shared.contracts import (
    CATALOGUE,
    EVENTS,
    CaseAccepted,
    CaseAmended,
    CaseConcluded,
    CaseDeclined,
    CaseDivided,
    CaseWithdrawn,
)
from shared.contracts.case import Assigning, Ground, Part, Restating
from shared.contracts.directory import Recusal
from shared.contracts.vocabulary import Channel, Kind, Outcome
from tests.examples_routing import (
    CONFLICT,
    NOON,
    TODAY,
    ZONE,
    event,
    index,
    label,
    rulebook,
    rules_in_force,
    submission_received,
)

RECUSED = rulebook(
    conflicts=(CONFLICT.model_copy(update={"code": "recused", "method": "recused"}),)
)
NOBODY = Names()
LANGUAGES = ("vi", "en")
OF_CASES = sorted(name for name in EVENTS if name.startswith(("case.", "clock.")))


def told(**more):
    """The ward has recused itself, so the province leads."""
    there = index(recusals=(Recusal(body="ward-front", reason="QĐ", unit="ward"),))
    rules = rules_in_force(directory=there, rulebook=RECUSED)
    case = open_case(submission_received(), rules, ZONE, NOON)
    extra = more.pop("events", ())
    found = worklist.told(replace(case.state, **more), case.state.lead, rules, TODAY)
    events = (*case.events, *extra)
    return found.model_copy(update={"events": tuple(e.model_dump(mode="json") for e in events)})


def said(language="vi", names=NOBODY, **more) -> str:
    return "\n".join(Explainer(names, language, ZONE).lines(told(**more)))


class TestExplaining:
    @pytest.mark.parametrize(
        ("language", "word"), [("vi", "tự từ chối những vụ việc"), ("en", "recused itself")]
    )
    def test_it_says_who_may_not_take_part_with_the_citation(self, language, word):
        [line, *_] = [line for line in said(language).splitlines() if word in line]

        assert CONFLICT.citation in line

    @pytest.mark.parametrize(
        ("language", "reason"), [("vi", "province-front là tổ chức"), ("en", "is the nearest one")]
    )
    def test_it_says_why_the_lead_leads(self, language, reason):
        assert reason in said(language)

    def test_it_says_until_when_each_term_runs(self):
        assert "answer: đến hết ngày 07/04/2026, đang trong thời hạn" in said("vi")
        assert "answer: until the end of 2026-04-07, running" in said("en")

    def test_steps_are_told_in_the_order_in_which_they_happened(self):
        late, early = NOON + timedelta(days=9), NOON + timedelta(days=2)
        accepted = CaseAccepted(version=6, body="province-front")
        others = [
            event(
                CaseAmended(version=5, body="province-front", concerns=()),
                item="e5",
                subject="c",
                time=late,
            ),
            event(accepted, item="e6", subject="c", time=early),
        ]

        lines = said("vi", events=others)

        assert lines.index("thụ lý vụ việc") < lines.index("bổ sung đối tượng")

    @pytest.mark.parametrize(
        ("goes_on", "vi", "en"),
        [
            (None, "đình chỉ giải quyết, theo Điều 33.", "is discontinued, under Điều 33."),
            (
                "signs",
                "vẫn tiếp tục giải quyết (Có dấu hiệu), theo",
                "settled all the same (Có dấu hiệu), under",
            ),
        ],
    )
    def test_a_withdrawal_says_whether_it_ended_the_case(self, goes_on, vi, en):
        data = CaseWithdrawn(
            version=9, body="b", asked=NOON, rule="r", citation="Điều 33", goes_on=goes_on
        )
        events = (event(data, item="w", subject="s1", time=NOON + timedelta(days=1)),)
        names = Names(exceptions={"signs": label("Có dấu hiệu")})

        assert "Người gửi rút đơn ngày 10/03/2026; b: " in said("vi", names, events=events)
        assert vi in said("vi", names, events=events)
        assert en in said("en", names, events=events)

    def test_a_line_of_the_worklist_begins_with_the_last_day(self):
        row = told().row

        assert listed(row).startswith(f"{row.due.isoformat()} {row.clock}  {row.case}")

    @pytest.mark.parametrize(
        ("language", "words"),
        [
            ("vi", ("tách đơn từ vụ việc c-1", "đã tách đơn: tố cáo", "nhập vụ việc trùng vào")),
            ("en", ("split from case c-1", "cases of its own: denunciation", "as a duplicate, to")),
        ],
    )
    def test_what_became_of_its_letter_is_said_in_words(self, language, words):
        more = {"parent": "c-1", "divided": (Kind.DENUNCIATION,), "joined": "c-2"}

        [line] = [text for text in said(language, **more).splitlines() if words[0] in text]
        assert all(word in line for word in words)
        assert all(word in listed(told(**more).row, language) for word in words)

    @pytest.mark.parametrize(("language", "kind"), [("vi", "tố cáo"), ("en", "denunciation")])
    def test_a_split_names_each_part(self, language, kind):
        part = Part(case="c-3", kind=Kind.DENUNCIATION)
        data = CaseDivided(version=5, body="province-front", parts=(part,), citation="TT 05")
        divided = event(data, item="d", subject="s1", time=NOON + timedelta(hours=1))

        assert f"{kind} (c-3)" in said(language, events=(divided,))

    @pytest.mark.parametrize(
        ("source", "words"),
        [
            ("taken_from", "nhập vụ việc trùng c-4"),
            ("learnt_from", "theo nội dung bổ sung tại vụ việc c-4"),
        ],
    )
    def test_what_comes_from_another_case_names_it(self, source, words):
        data = CaseAmended(version=5, body="province-front", concerns=(), **{source: "c-4"})
        amended = event(data, item="d", subject="s1", time=NOON + timedelta(hours=1))

        assert words in said("vi", events=(amended,))

    def test_codes_are_said_by_their_names(self):
        names = Names(bodies={"province-front": label("Mặt trận tỉnh")})

        assert "  Chủ trì: Mặt trận tỉnh" in said(names=names)

    def test_what_a_body_cited_reaches_the_terminal_as_letters_alone(self):
        data = CaseDeclined(
            version=9, body="ward-front", ground=Ground.CONCERNED, citation="Điều 5\x1b[2J\n\u202e"
        )
        declined = event(data, item="d", subject="s1", time=NOON + timedelta(hours=1))

        text = said(events=(declined,))

        assert "theo Điều 5[2J." in text
        assert not {"\x1b", "\u202e"} & set(text)

    @pytest.mark.parametrize(
        ("language", "words"),
        [
            ("vi", "đúng; đúng hạn; thu hồi, trả lại 15.000.000 đồng; kiến nghị xử lý 2 người"),
            ("en", "15,000,000 đồng recovered; sanctions proposed, number of people: 2"),
        ],
    )
    def test_a_conclusion_says_what_it_recovered_and_proposed(self, language, words):
        data = CaseConcluded(
            version=9,
            body="ward-front",
            outcome=Outcome.RIGHT,
            in_time=True,
            recovered=15_000_000,
            sanctions=2,
        )

        assert words in said(language, events=(event(data, item="d", subject="s1", time=NOON),))


class TestWords:
    @pytest.mark.parametrize("language", LANGUAGES)
    @pytest.mark.parametrize("name", OF_CASES)
    def test_each_event_of_a_case_has_its_own(self, name, language):
        fields = {part for _, part, *_ in string.Formatter().parse(STEPS[name][language]) if part}

        assert fields <= CATALOGUE[name].model_fields.keys()

    @pytest.mark.parametrize(
        "name",
        [
            *Kind,
            *Channel,
            *(f"why-{why}" for why in (*Assigning, *Restating)),
            *(f"ground-{ground}" for ground in Ground),
            *(f"outcome-{outcome}" for outcome in Outcome),
            *(f"clock-{standing}" for standing in (*Standing, "paused")),
        ],
    )
    def test_each_code_has_one_in_both_languages(self, name):
        assert set(WORDS[name]) == set(LANGUAGES)
