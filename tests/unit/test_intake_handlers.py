"""What intake answers to what agencies send."""

from base64 import b64encode, encodebytes
from dataclasses import replace
from datetime import timedelta

import orjson
import pytest
from prometheus_client import REGISTRY

from services.intake.handlers import RulesMissing, fate_teller, receiver, rule_keeper
from shared.contracts import SubmissionReceived
from shared.contracts.envelope import Event
from shared.contracts.submission import submission_id
from shared.contracts.vocabulary import Concern, Kind
from tests.examples_intake import (
    NOON,
    call,
    directory_published,
    letter,
    mail,
    mail_event,
    rulebook_published,
    sent,
)
from tests.fakes_intake import memory_stores, receiving

CALL, LETTER, MAIL = "hotline-call.logged.v1", "letter.registered.v1", "mailbox-message.arrived.v1"
CHANNEL, DIALOGUE = "channel.published.v1", "dialogue.held.v1"


def a_call(**more):
    envelope = {k: more.pop(k) for k in ("item", "sequence", "agency", "time") if k in more}
    return sent(CALL, call(**more), **envelope)


class Intake:
    """Intake on memory: `receive` is its one entrance, `ask` its answer about fates."""

    def __init__(self):
        self.stores = memory_stores()
        self.submissions, self.arrivals = self.stores.submissions, self.stores.arrivals
        self.rules, self.conversations = self.stores.rules, self.stores.conversations
        self.keep_rules = rule_keeper(self.rules)
        self.receive = receiver(receiving(self.stores))

    def open(self, part, sealed):
        return self.stores.data_keys.open(part, sealed)

    async def ask(self, party="a017", **asked):
        answer = await fate_teller(self.arrivals)(party, orjson.dumps(asked))
        return orjson.loads(answer)["fates"]


@pytest.fixture
async def intake():
    intake = Intake()
    await intake.rules.keep([directory_published()], [rulebook_published()])
    return intake


def items(fate):
    labels = {"entrance": "feed", "kind": CALL, "fate": fate}
    return REGISTRY.get_sample_value("langnghe_items_total", labels) or 0.0


class TestReceive:
    async def test_each_sending_counts_by_what_became_of_it(self, intake):
        before = {fate: items(fate) for fate in ("kept", "duplicate", "refused")}

        await intake.receive([a_call(), a_call(sequence=2), a_call(agency="nobody", sequence=3)])

        assert {fate: items(fate) - before[fate] for fate in before} == {
            "kept": 1,
            "duplicate": 1,
            "refused": 1,
        }

    async def test_a_first_sending_is_announced(self, intake):
        [received] = await intake.receive([a_call(note="Tố cáo Chủ tịch Ủy ban nhân dân: chậm.")])

        assert received.type == SubmissionReceived.TYPE
        assert received.subject == submission_id("a017", "item-1")
        assert received.data.kind == Kind.DENUNCIATION
        assert received.data.category == "duty"
        assert received.data.concerns == Concern(unit="an-thai", office="chu-tich-an-thai")
        assert received.data.unit == "an-thai"
        assert (received.data.directory, received.data.rulebook) == (1, 1)

    async def test_a_first_sending_is_kept_with_its_sealed_parts(self, intake):
        await intake.receive([sent(MAIL, mail_event(mail()))])

        [kept] = intake.submissions.kept
        opened = {part: intake.open(part, sealed) for part, sealed in kept.sealed.items()}
        assert orjson.loads(opened["identity"])["name"] == "Trần Thị B"
        assert orjson.loads(opened["text"])["subject"] == "Phản ánh"
        assert opened["raw"] == mail()

    async def test_a_redelivery_repeats_the_same_event_word_for_word(self, intake):
        [first] = await intake.receive([a_call()])
        await intake.rules.keep([], [rulebook_published(2, default_category="later")])
        [again] = await intake.receive([a_call()])

        assert again.encode() == first.encode()

    @pytest.mark.parametrize(
        ("first", "second"),
        [
            (a_call(), a_call(sequence=2)),
            (a_call(), a_call(item="item-2", sequence=2)),
            (sent(LETTER, letter()), sent(LETTER, letter(), item="item-2", sequence=2)),
            (
                sent(MAIL, mail_event(mail())),
                sent(MAIL, mail_event(mail()), item="item-2", sequence=2),
            ),
            (
                sent(CHANNEL, {"channel": "hotline", "address": "1022", "published": "2026-01-05"}),
                sent(
                    CHANNEL,
                    {"channel": "hotline", "address": "1022", "published": "2026-01-05"},
                    sequence=2,
                ),
            ),
        ],
        ids=["event", "call", "letter", "mail", "record"],
    )
    @pytest.mark.parametrize("together", [True, False])
    async def test_a_second_sending_announces_nothing(self, intake, first, second, together):
        if together:
            announced = await intake.receive([first, second])
        else:
            announced = [*await intake.receive([first]), *await intake.receive([second])]

        [fate] = await intake.ask(sequences=[2])
        assert len(announced) == 1
        assert fate["fate"] == "duplicate"
        assert fate["submission"] == announced[0].subject

    async def test_the_same_item_of_two_agencies_is_two(self, intake):
        announced = await intake.receive([a_call(), a_call(agency="a018", sequence=2)])

        assert len({event.subject for event in announced}) == 2

    async def test_the_moment_of_receipt_is_when_it_happened(self, intake):
        [received] = await intake.receive([a_call(time="2026-05-11T08:42:10+07:00")])

        assert received.time.isoformat() == "2026-05-11T01:42:10+00:00"
        assert received.recordedtime == NOON + timedelta(seconds=1)

    async def test_a_time_ahead_is_not_believed(self, intake):
        [received] = await intake.receive([a_call(time="2027-01-01T00:00:00Z")])

        assert received.time == received.recordedtime
        assert "time-ahead" in intake.submissions.kept[0].flags

    @pytest.mark.parametrize(
        ("time", "default"), [("2026-04-30T23:59:00", "old"), ("2026-05-01T00:01:00", "new")]
    )
    async def test_a_rule_holds_from_midnight_where_the_law_is(self, intake, time, default):
        rulebook = rulebook_published(2).model_dump(mode="json")
        old, new = (dict(rulebook["rulebook"]["categories"][0], code=c) for c in ("old", "new"))
        old["effective_to"] = new["effective_from"] = "2026-05-01"
        rulebook["rulebook"]["categories"] = [old, new]
        await intake.rules.keep([], [type(rulebook_published()).model_validate(rulebook)])

        [received] = await intake.receive([a_call(time=f"{time}+07:00")])

        assert received.data.category == default

    async def test_a_mail_that_cannot_be_parsed_is_kept_with_its_flag(self, intake):
        bomb = mail(sender="(" * 60)

        [received] = await intake.receive([sent(MAIL, mail_event(bomb))])

        [kept] = intake.submissions.kept
        assert kept.flags == ("refused-comment-depth",)
        assert intake.open("raw", kept.sealed["raw"]) == bomb
        assert received.data.eligibility == "stored-unreadable"

    async def test_base64_in_lines_is_taken(self, intake):
        await intake.receive([sent(MAIL, {"raw": encodebytes(mail()).decode()})])

        [kept] = intake.submissions.kept
        assert intake.open("raw", kept.sealed["raw"]) == mail()

    async def test_a_dialogue_is_recorded(self, intake):
        data = {"held": "2026-05-04", "participants": 40, "opinions_received": 12}

        [recorded] = await intake.receive([sent(DIALOGUE, data | {"opinions_accepted": 9})])

        assert recorded.type == "activity.recorded.v1"
        assert (recorded.data.kind, recorded.data.opinions_accepted) == ("dialogue", 9)

    async def test_nothing_is_decided_before_there_are_rules(self):
        with pytest.raises(RulesMissing):
            await Intake().receive([a_call()])


class TestRefuse:
    @pytest.mark.parametrize(
        ("arrival", "kind", "field", "rule"),
        [
            (a_call(note=7), "invalid", "/data/note", "string_type"),
            (a_call(kind="gossip"), "invalid", "/data/kind", "enum"),
            (a_call(noet="x"), "invalid", "/data/noet", "extra_forbidden"),
            (sent(CALL, {"call": "1"}), "invalid", "/data/note", "missing"),
            (
                sent(CALL, call(), time="yesterday"),
                "invalid",
                "/time",
                "datetime_from_date_parsing",
            ),
            (sent(CALL, call(), time="2026-05-11T08:00:00"), "invalid", "/time", "timezone_aware"),
            (sent(CALL, call(), type=MAIL), "type-mismatch", "/type", "type-mismatch"),
            (
                sent(CALL, call(), source="/agencies/a018"),
                "foreign-source",
                "/source",
                "foreign-source",
            ),
            (a_call(agency="a999"), "unknown-agency", "/source", "unknown-agency"),
            (sent(MAIL, {"raw": "%%%"}), "invalid", "/data/raw", "base64"),
            (sent(MAIL, {"raw": "-_-_"}), "invalid", "/data/raw", "base64"),
            (sent(MAIL, {"raw": "From: a@b.vn"}), "invalid", "/data/raw", "base64"),
        ],
    )
    async def test_a_refusal_names_field_and_rule(self, intake, arrival, kind, field, rule):
        [refused] = await intake.receive([arrival])

        [problem] = refused.data.problems
        assert refused.data.type == f"/problems/{kind}"
        assert (problem.field, problem.rule) == (field, rule)
        assert problem.advice
        assert refused.data.item == "item-1"
        assert refused.data.nats_subject() == f"feed.{arrival.party}.refused"

    @pytest.mark.parametrize("body", [b"", b"\xff", b"[]", b'{"id": 7}', b"null", b"{" * 5000])
    async def test_what_is_no_event_is_refused(self, intake, body):
        [refused] = await intake.receive([replace(a_call(), body=body)])

        assert refused.data.type == "/problems/invalid"
        assert refused.data.item == ""

    async def test_half_a_letter_is_refused(self, intake):
        body = a_call(note="MARK").body.replace(b"MARK", b"\\ud800")

        [refused] = await intake.receive([replace(a_call(), body=body)])

        assert refused.data.type == "/problems/invalid"

    async def test_what_no_contract_knows_is_refused(self, intake):
        [refused] = await intake.receive([sent("tweet.posted.v1", {})])

        assert refused.data.type == "/problems/unknown-type"

    async def test_a_refusal_quotes_no_value(self, intake):
        canary = "Trần Thị B 0900000017"
        wrong = [
            a_call(note={"nested": canary}, sequence=1),
            a_call(kind=canary, category=canary, ended=canary, sequence=2),
            a_call(reporter={"name": [canary], canary: 1}, sequence=3),
            sent(CALL, call(), sequence=4, source=f"/agencies/{canary}"),
            sent(CALL, call(), sequence=5, time=canary, type=canary),
            sent(LETTER, letter(signatures=canary), sequence=6),
            sent(MAIL, {"raw": canary}, sequence=7),
            replace(a_call(sequence=8), body=canary.encode()),
        ]

        refused = await intake.receive(wrong)

        assert [event.type for event in refused] == ["item.refused.v1"] * len(wrong)
        for event in refused:
            assert "Trần" not in event.encode().decode()
            assert "0900000017" not in event.encode().decode()

    async def test_a_refused_item_is_kept_sealed(self, intake):
        arrival = a_call(note=7)

        await intake.receive([arrival])

        noted = intake.arrivals.noted[arrival.key]
        assert intake.open("refused", noted.sealed) == arrival.body

    async def test_a_refused_item_does_not_hold_its_batch(self, intake):
        announced = await intake.receive([a_call(note=7), a_call(item="item-2", sequence=2)])

        assert [event.type for event in announced] == ["item.refused.v1", SubmissionReceived.TYPE]

    async def test_a_redelivery_refuses_word_for_word(self, intake):
        [first] = await intake.receive([a_call(note=7)])
        [again] = await intake.receive([a_call(note=7)])

        assert again.encode() == first.encode()


class TestFates:
    async def test_each_sending_has_its_fate(self, intake):
        await intake.receive([a_call(), a_call(sequence=2), a_call(sequence=3, note=7)])

        fates = await intake.ask(items=["item-1"])

        assert [f["fate"] for f in fates] == ["kept", "duplicate", "refused"]
        assert [f["sequence"] for f in fates] == [1, 2, 3]

    async def test_no_party_learns_of_another(self, intake):
        await intake.receive([a_call()])

        assert await intake.ask("a018", items=["item-1"], sequences=[1]) == []


class TestSecrecy:
    CANARIES = ("Trần Thị B", "0900000017", "tranthib@example.vn", "hẹn lại", "thu-1")

    async def test_no_event_says_who_spoke_or_what(self, intake):
        reporter = {"name": "Trần Thị B", "phone": "0900000017"}
        announced = await intake.receive(
            [
                a_call(reporter=reporter, sequence=1),
                sent(LETTER, letter(summary="hẹn lại", reporter=reporter), item="2", sequence=2),
                sent(MAIL, mail_event(mail()), item="3", sequence=3),
            ]
        )

        assert len(announced) == 3
        for event in announced:
            said = event.encode()
            for canary in self.CANARIES:
                assert canary.encode() not in said
                assert b64encode(canary.encode()) not in said


async def test_rules_are_taken_from_their_events(intake):
    published = directory_published(2, agencies=())
    event = Event[type(published)](
        id="d2", source="/operators/x", type=published.TYPE, time=NOON, data=published
    )

    assert await intake.keep_rules([event]) == []
    [refused] = await intake.receive([a_call()])
    assert refused.data.type == "/problems/unknown-agency"
