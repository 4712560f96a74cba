"""Who is told what, under which proof; and that what was erased can never be read again."""

import asyncio
from datetime import timedelta
from zoneinfo import ZoneInfo

import bson
import orjson
import pytest

from services.intake.handlers import (
    Protecting,
    Telling,
    identity_teller,
    message_taker,
    order_taker,
    readers_teller,
    receiver,
    text_teller,
)
from services.intake.store import (
    MongoCases,
    MongoContents,
    MongoDataKeys,
    MongoOpenings,
    MongoProtections,
    MongoReadings,
)
from services.intake.wrapping import FileWrapping, dropped, rotated
from shared.contracts import (
    CaseAccepted,
    CaseAmended,
    CaseAssigned,
    CaseConcluded,
    CaseOpened,
    CaseUnsealingConfirmed,
)
from shared.contracts.case import Basis
from shared.contracts.envelope import Event
from shared.contracts.vocabulary import (
    Channel,
    Concern,
    Form,
    Kind,
    Outcome,
    Signatures,
    Unseals,
)
from shared.runtime.arrival import Arrival
from tests.examples_intake import (
    NOON,
    call,
    directory_published,
    mail,
    mail_event,
    rulebook_published,
    sent,
)
from tests.fakes_intake import receiving
from tests.stores.test_intake_stores import in_mongo, key_file

ZONE = ZoneInfo("Asia/Ho_Chi_Minh")
CALL, MAIL = "hotline-call.logged.v1", "mailbox-message.arrived.v1"
BODY, OTHER = "mat-tran-an-thai", "doan-an-thai"


class Intake:
    """Intake on MongoDB, with one call taken in, as submission and as case of `BODY`."""

    def __init__(self, stores, database):
        self.stores, self.database = stores, database
        self.cases, self.contents = MongoCases(database), MongoContents(database)
        self.openings, self.protections = MongoOpenings(database), MongoProtections(database)
        self.readings = MongoReadings(database)
        self.announced, self.at = [], NOON
        self.telling = Telling(self.cases, self.contents, stores.data_keys, lambda: self.at)
        self.receive = receiver(receiving(stores))
        self.take_orders = order_taker(
            Protecting(self.protections, stores.data_keys, stores.arrivals, frozenset({"operator"}))
        )

    async def announce(self, events):
        self.announced += events

    async def text(self, body=BODY, **asked):
        asked = {"case": "case-1", "person": "can-bo-1"} | asked
        return orjson.loads(
            await text_teller(self.telling, self.readings)(body, orjson.dumps(asked))
        )

    async def identity(self, body=BODY, **asked):
        asked = {
            "case": "case-1",
            "person": "can-bo-1",
            "reason": "Xác minh theo kế hoạch.",
            "unsealing": 1,
        } | asked
        teller = identity_teller(self.telling, self.openings, ZONE, self.announce)
        return orjson.loads(await teller(body, orjson.dumps(asked)))

    async def readers(self, party="operator"):
        teller = readers_teller(self.readings, self.stores.rules, frozenset({"operator"}))
        return orjson.loads(await teller(party, orjson.dumps({"case": "case-1"})))

    async def say(self, body=BODY, **asked):
        asked = {
            "case": "case-1",
            "person": "can-bo-1",
            "item": "1",
            "text": "Xin bổ sung.",
        } | asked
        taker = message_taker(self.telling, self.stores.conversations, lambda: None)
        return orjson.loads(await taker(body, orjson.dumps(asked)))

    async def order(self, verb, party="operator", sequence=1, subject=None, citation="Điều 1"):
        event = {
            "specversion": "1.0",
            "id": f"{verb}-{sequence}",
            "source": f"/parties/{party}",
            "type": f"submission.{verb}.v1",
            "subject": subject or self.submission,
            "time": NOON.isoformat(),
            "data": {"citation": citation},
        }
        arrival = Arrival(
            "command",
            party,
            event["type"],
            orjson.dumps(event),
            sequence,
            NOON + timedelta(hours=1),
        )
        [followed] = await self.take_orders([arrival])
        return followed


def case_event(data, case="case-1"):
    return Event[type(data)](
        id=f"{case}-{data.version}-{data.TYPE}",
        source="/services/routing",
        type=data.TYPE,
        subject=case,
        time=NOON,
        data=data,
    )


def opened(submission, version=1):
    return case_event(
        CaseOpened(
            version=version,
            submission=submission,
            unit="an-thai",
            channel=Channel.HOTLINE,
            form=Form.TELEPHONE,
            kind=Kind.REFLECTION,
            category="duty",
            signatures=Signatures.ONE,
            concerns=Concern(),
            eligibility="eligible",
            received=NOON,
        )
    )


def assigned(version=2, lead=BODY, cooperating=()):
    return case_event(
        CaseAssigned(
            version=version,
            lead=lead,
            cooperating=cooperating,
            basis=Basis.SAME_LEVEL,
            within_competence=True,
            rule="same-level",
            citation="Quy định 124-QĐ/TW",
            directory=1,
            rulebook=1,
        )
    )


def confirmed(version=3, **more):
    """A second person agreed that `can-bo-1` of the body is told who spoke, until noon's day."""
    said = {
        "number": 1,
        "unseals": Unseals.IDENTITY,
        "body": BODY,
        "person": "can-bo-1",
        "ground": "verify-sender",
        "second_body": OTHER,
        "second_person": "can-bo-9",
        "until": NOON.astimezone(ZONE).date(),
    }
    return case_event(CaseUnsealingConfirmed(version=version, **{**said, **more}))


def amended(version):
    return case_event(CaseAmended(version=version, body=BODY, concerns=(Concern(unit="an-thai"),)))


@pytest.fixture
async def agreed(intake):
    await intake.cases.note([confirmed()])
    return intake


@pytest.fixture
async def intake(mongo_database):
    stores = await in_mongo(mongo_database)
    intake = Intake(stores, mongo_database)
    await stores.rules.keep([directory_published()], [rulebook_published()])
    reporter = {"name": "Trần Thị B", "phone": "0900000017"}
    [received] = await intake.receive([sent(CALL, call(reporter=reporter))])
    intake.submission = received.subject
    await intake.cases.note([opened(received.subject), assigned()])
    return intake


class TestText:
    async def test_the_body_that_holds_the_case_is_told(self, intake):
        told = await intake.text()

        assert told["content"]["text"]["note"] == "Hồ sơ bị hẹn lại."
        assert "0900000017" not in str(told)

    async def test_nobody_else_is(self, intake):
        assert await intake.text(OTHER) == await intake.text(case="no-such-case")
        assert (await intake.text(OTHER))["status"] == "not-yours"

    async def test_a_body_that_the_case_left_is_no_longer_told(self, intake):
        await intake.cases.note([assigned(3, lead=OTHER)])
        await intake.cases.note([assigned(2, lead=BODY)])  # late

        assert (await intake.text())["status"] == "not-yours"
        assert (await intake.text(OTHER))["status"] == "told"

    async def test_a_cooperating_body_is_told(self, intake):
        await intake.cases.note([assigned(3, cooperating=(OTHER,))])

        assert (await intake.text(OTHER))["status"] == "told"

    async def test_what_no_question_is_is_answered(self, intake):
        assert (await intake.text(person="Trần Thị B"))["status"] == "invalid"

    async def test_it_holds_what_was_said_since(self, intake):
        await intake.receive([sent(CALL, call(note="Nói thêm."), item="n", sequence=2)])
        await intake.say()

        conversation = (await intake.text())["content"]["conversation"]
        assert [(said["by"], next(iter(said["text"].values()))) for said in conversation] == [
            ("body", "Xin bổ sung."),
            ("reporter", "Nói thêm."),
        ]


class TestCases:
    @pytest.mark.parametrize("turned", [False, True])
    async def test_the_newest_state_stands_in_whatever_order(self, intake, turned):
        events = [
            assigned(2),
            case_event(CaseAccepted(version=3, body=BODY)),
            case_event(CaseConcluded(version=4, body=BODY, outcome=Outcome.RIGHT, in_time=True)),
        ]
        for event in reversed(events) if turned else events:
            await intake.cases.note([event])

        assert (await intake.cases.of(intake.submission)).state == "concluded"

    async def test_a_case_is_unknown_until_its_opening_came(self, intake):
        other = assigned().model_copy(update={"subject": "case-2"})
        await intake.cases.note([other])

        assert await intake.cases.find("case-2") is None


class TestReadings:
    """That a text was told is kept before it is, and told to the operator alone."""

    async def test_who_read_what_was_said_is_known(self, intake):
        await intake.text()
        intake.at += timedelta(seconds=1)
        await intake.text(person="can-bo-2")

        told = (await intake.readers())["content"]["readings"]
        assert [(row["body"], row["person"]) for row in told] == [
            (BODY, "can-bo-1"),
            (BODY, "can-bo-2"),
        ]

    async def test_who_was_told_nothing_read_nothing(self, intake):
        await intake.text(OTHER)

        assert (await intake.readers())["content"]["readings"] == []

    async def test_nobody_else_is_told(self, intake):
        assert (await intake.readers(BODY))["status"] == "not-yours"

    async def test_what_cannot_be_kept_is_not_told(self, intake):
        intake.readings.keep = _away
        with pytest.raises(ConnectionError):
            await intake.text()


async def _away(*_):
    raise ConnectionError


class TestIdentity:
    async def test_an_opening_is_announced_before_it_is_answered(self, agreed):
        announce, agreed.announce = agreed.announce, _away
        with pytest.raises(ConnectionError):
            await agreed.identity()
        agreed.announce = announce

        assert (await agreed.identity())["status"] == "told"

    async def test_who_spoke_is_told_to_who_asked(self, agreed):
        told = await agreed.identity()

        [event] = agreed.announced
        assert told["content"]["reporter"]["name"] == "Trần Thị B"
        assert (event.subject, event.data.body, event.data.persons) == (
            agreed.submission,
            BODY,
            ("can-bo-1", "can-bo-9"),
        )

    async def test_without_a_second_person_nobody_is_told(self, intake):
        assert (await intake.identity())["status"] == "second-person-needed"
        assert (await intake.identity(unsealing=None))["status"] == "second-person-needed"
        assert intake.announced == []

    async def test_without_a_reason_nothing_is_told(self, agreed):
        assert (await agreed.identity(reason=""))["status"] == "invalid"

    async def test_another_body_is_told_nothing(self, agreed):
        assert (await agreed.identity(OTHER))["status"] == "not-yours"
        assert agreed.announced == []

    @pytest.mark.parametrize("asked", [{"person": "can-bo-9"}, {"unsealing": 2}])
    async def test_nobody_but_who_asked_is(self, agreed, asked):
        assert (await agreed.identity(**asked))["status"] == "second-person-needed"
        assert agreed.announced == []

    async def test_another_body_that_holds_the_case_is_not(self, agreed):
        await agreed.cases.note([assigned(4, cooperating=(OTHER,))])

        assert (await agreed.identity(OTHER))["status"] == "second-person-needed"

    async def test_it_is_told_once(self, agreed):
        assert (await agreed.identity())["status"] == "told"
        await agreed.cases.note([confirmed()])  # once more
        agreed.at += timedelta(minutes=1)

        assert (await agreed.identity())["status"] == "second-person-needed"

    async def test_once_of_many_at_the_same_moment(self, agreed):
        told = await asyncio.gather(*(agreed.identity() for _ in range(8)))

        assert [each["status"] for each in told].count("told") == 1
        assert len({event.id for event in agreed.announced}) == 1

    async def test_not_after_its_last_day(self, agreed):
        agreed.at += timedelta(hours=12)

        assert (await agreed.identity())["status"] == "second-person-needed"

    async def test_not_once_the_case_left_the_body(self, agreed):
        await agreed.cases.note([assigned(4, lead=OTHER)])

        assert (await agreed.identity())["status"] == "not-yours"

    @pytest.mark.parametrize("turned", [False, True])
    async def test_not_once_the_case_is_about_more(self, intake, turned):
        events = [confirmed(3), amended(4)]
        for event in reversed(events) if turned else events:
            await intake.cases.note([event])

        assert (await intake.identity())["status"] == "second-person-needed"

    async def test_what_it_was_about_before_is_agreed_to(self, intake):
        await intake.cases.note([amended(3), confirmed(4)])

        assert (await intake.identity())["status"] == "told"

    async def test_what_is_agreed_to_show_a_case_tells_nobodys_name(self, intake):
        await intake.cases.note([confirmed(unseals=Unseals.CASE)])

        assert (await intake.identity())["status"] == "second-person-needed"

    async def test_a_reason_is_kept_sealed(self, agreed):
        await agreed.identity(reason="Bà Trần Thị B đã đồng ý.")

        stored = await everything(agreed.database)
        assert "đồng ý".encode() not in stored


class TestErasure:
    async def test_nobody_can_read_it_any_more(self, intake):
        erased = await intake.order("erase")

        assert erased.type == "submission.erased.v1"
        await intake.cases.note([confirmed()])
        assert (await intake.text())["status"] == "erased"
        assert (await intake.identity())["status"] == "erased"
        assert await intake.database["data_keys"].count_documents({"owner": intake.submission}) == 0

    async def test_a_backup_without_its_keys_stays_closed(self, intake):
        """The backup holds everything but the database of the keys."""
        before = await intake.database["submissions"].find_one({"_id": intake.submission})
        await intake.order("erase")

        await intake.database["submissions"].replace_one({"_id": intake.submission}, before)

        assert (await intake.text())["status"] == "erased"

    async def test_it_is_still_known(self, intake):
        await intake.order("erase")

        assert list(await intake.receive([sent(CALL, call(), sequence=2)])) == []

    async def test_what_was_said_since_goes_with_it(self, intake):
        await intake.receive([sent(CALL, call(note="Nói thêm."), item="n", sequence=2)])
        await intake.say()
        await intake.order("erase")

        assert await intake.contents.conversation(intake.submission)
        assert (await intake.text())["status"] == "erased"
        assert await intake.database["data_keys"].count_documents({}) == 0

    async def test_nothing_is_added_to_it_any_more(self, intake):
        await intake.order("erase")
        [refused] = await intake.receive([sent(CALL, call(note="Nói thêm."), item="n", sequence=2)])

        assert refused.data.type == "/problems/erased"
        assert (await intake.say())["status"] == "erased"
        left = {"owner": intake.submission}
        assert await intake.database["data_keys"].count_documents(left) == 0

    async def test_the_receipt_goes_with_it(self, intake):
        code = await intake.stores.receipts.give(intake.submission)
        await intake.order("erase")

        assert await intake.stores.receipts.find(code) is None

    async def test_a_hold_refuses_it_with_its_citation(self, intake):
        await intake.order("hold", citation="Luật Tố cáo 2018, Điều 56")
        refused = await intake.order("erase", sequence=2)

        assert refused.data.type == "/problems/held"
        assert "Luật Tố cáo 2018, Điều 56" in refused.data.problems[0].advice
        assert (await intake.text())["status"] == "told"

    async def test_a_release_ends_the_hold(self, intake):
        await intake.order("hold")
        await intake.order("release", sequence=2)

        assert (await intake.order("erase", sequence=3)).type == "submission.erased.v1"

    async def test_a_redelivery_repeats_the_event(self, intake):
        first = await intake.order("erase")

        assert (await intake.order("erase")).encode() == first.encode()

    async def test_a_crash_between_mark_and_keys_is_finished(self, intake, monkeypatch):
        async def crash(_self, _owner):
            raise ConnectionError

        with monkeypatch.context() as broken:
            broken.setattr(type(intake.stores.data_keys), "destroy", crash)
            with pytest.raises(ConnectionError):
                await intake.order("erase")
        await intake.order("erase")

        assert await intake.database["data_keys"].count_documents({}) == 0

    @pytest.mark.parametrize(
        ("change", "rule"),
        [({"party": BODY}, "not-allowed"), ({"subject": "nothing"}, "unknown-submission")],
    )
    async def test_who_may_not_or_means_nothing_is_refused(self, intake, change, rule):
        refused = await intake.order("erase", **change)

        assert refused.data.type == f"/problems/{rule}"
        assert (await intake.text())["status"] == "told"

    async def test_large_parts_go_too(self, intake):
        raw = mail("x" * 300_000, message_id="<lon@example.vn>")
        [received] = await intake.receive([sent(MAIL, mail_event(raw), item="m", sequence=9)])
        assert await intake.database["sealed.files"].count_documents({}) > 0

        intake.submission = received.subject
        await intake.order("erase")

        assert await intake.database["sealed.files"].count_documents({}) == 0
        assert await intake.database["sealed.chunks"].count_documents({}) == 0


class TestRotation:
    async def test_every_key_can_be_read_once_the_old_one_is_dropped(self, intake):
        path = key_file()
        keys = MongoDataKeys(intake.database, FileWrapping.from_file(path))

        path.write_bytes(rotated(path.read_bytes(), "k2", b"n" * 32))
        while await keys.rewrap("k1", limit=1):
            pass
        path.write_bytes(dropped(path.read_bytes(), "k1"))

        found = await keys.find([d["_id"] async for d in intake.database["data_keys"].find()])
        assert len(found) == 2

    async def test_a_dropped_key_closes_what_it_wraps(self, intake):
        """T-29: also in a backup of the keys that was taken before."""
        path = key_file()
        keys = MongoDataKeys(intake.database, FileWrapping.from_file(path))
        path.write_bytes(dropped(rotated(path.read_bytes(), "k2", b"n" * 32), "k1"))

        names = [d["_id"] async for d in intake.database["data_keys"].find()]
        assert await keys.find(names) == {}


async def everything(database):
    stored = b""
    for name in await database.list_collection_names():
        async for document in database[name].find():
            stored += bson.encode(document)
    return stored
