"""What goes on with a submission, and what only looks like it."""

import orjson
import pytest

from services.intake.domain.receipt import shown
from services.intake.handlers import acceptor, receiver
from services.intake.handlers.ports import StoreAway
from services.intake.relay import Relay
from shared.contracts.ingress import Fate
from shared.runtime.sealing import Seal
from tests.examples_intake import (
    INTAKE_KEY,
    call,
    directory_published,
    mail,
    mail_event,
    rulebook_published,
    sent,
)
from tests.fakes_intake import MemoryOutbox, memory_stores, receiving

CALL, MAIL = "hotline-call.logged.v1", "mailbox-message.arrived.v1"
LONG = (
    "Tôi đã nộp hồ sơ đất đai từ tháng hai, cán bộ bộ phận một cửa hẹn lại ba lần, mỗi lần một lý "
    "do khác nhau, và đến hôm nay vẫn chưa có kết quả, đề nghị cơ quan xem xét giải quyết."
)


@pytest.fixture
async def stores():
    stores = memory_stores()
    await stores.rules.keep([directory_published()], [rulebook_published()])
    return stores


@pytest.fixture
def receive(stores):
    return receiver(receiving(stores))


def first_mail(sequence=1, body=LONG):
    return sent(MAIL, mail_event(mail(body)), item=f"mail-{sequence}", sequence=sequence)


def answer(body="Tôi bổ sung: đã có thêm một lần hẹn.", sequence=2, sender=None, **more):
    raw = mail(
        body,
        message_id="<thu-2@example.vn>",
        headers=(
            "Content-Type: text/plain; charset=utf-8",
            more.get("header", "In-Reply-To: <thu-1@example.vn>"),
        ),
        **({"sender": sender} if sender else {}),
    )
    return sent(MAIL, mail_event(raw), item=f"mail-{sequence}", sequence=sequence)


STRANGER = "Người khác <nguoikhac@example.vn>"


class TestAnswers:
    async def test_an_answer_of_the_same_sender_joins(self, stores, receive):
        [received] = await receive([first_mail()])
        [supplemented] = await receive([answer()])

        assert supplemented.type == "submission.supplemented.v1"
        assert supplemented.subject == received.subject
        [said] = stores.conversations.kept
        text = orjson.loads(stores.data_keys.open("text", said.sealed["text"]))
        assert "thêm một lần hẹn" in text["text"]

    async def test_references_serve_as_well(self, receive):
        [received] = await receive([first_mail()])
        [supplemented] = await receive([answer(header="References: <x@y> <thu-1@example.vn>")])

        assert supplemented.subject == received.subject

    async def test_a_header_alone_proves_nothing(self, stores, receive):
        [received] = await receive([first_mail()])
        other, related = await receive([answer(sender=STRANGER)])

        assert other.type == "submission.received.v1"
        assert other.subject != received.subject
        assert related.data.earlier == received.subject
        assert related.data.link == "reply"
        assert stores.conversations.kept == []

    async def test_the_receipt_code_proves_it(self, stores, receive):
        [received] = await receive([first_mail()])
        code = await stores.receipts.give(received.subject)
        [supplemented] = await receive([answer(f"Mã của tôi: {shown(code)}.", sender=STRANGER)])

        assert supplemented.subject == received.subject

    @pytest.mark.parametrize("cut", [7, 15, 23])
    async def test_the_code_in_a_quoted_answer_reaches_no_body(self, stores, receive, cut):
        """Whoever has it speaks as the person does."""
        [received] = await receive([first_mail()])
        code = shown(await stores.receipts.give(received.subject))
        quoted = f"Cảm ơn.\r\n> Mã của bạn: {code[:cut]}\r\n> {code[cut:]}\r\n"
        await receive([answer(quoted)])

        [said] = stores.conversations.kept
        text = stores.data_keys.open("text", said.sealed["text"]).decode()
        assert "▇" in text
        assert code[:3] not in text
        assert code[-3:] not in text

    async def test_the_code_of_another_submission_proves_nothing(self, stores, receive):
        await receive([first_mail()])
        code = await stores.receipts.give("another")
        announced = await receive([answer(f"Mã: {code}", sender=STRANGER)])

        assert announced[0].type == "submission.received.v1"

    async def test_an_answer_twice_joins_once(self, stores, receive):
        await receive([first_mail()])
        await receive([answer()])

        assert list(await receive([answer(sequence=3)])) == []
        assert len(stores.conversations.kept) == 1

    async def test_its_keys_are_its_submissions(self, stores, receive):
        """So that erasure finds them."""
        [received] = await receive([first_mail()])
        await receive([answer()])

        await stores.data_keys.destroy(received.subject)
        assert stores.data_keys.keys == {}


class TestCallNotes:
    async def test_a_note_after_the_record_joins(self, stores, receive):
        [received] = await receive([sent(CALL, call(note=""), item="record")])
        [supplemented] = await receive([sent(CALL, call(), item="note", sequence=2)])

        assert supplemented.subject == received.subject
        assert supplemented.data.addition == "call-note"

    async def test_in_one_batch_too(self, receive):
        received, supplemented = await receive(
            [sent(CALL, call(note=""), item="record"), sent(CALL, call(), item="n", sequence=2)]
        )

        assert supplemented.subject == received.subject

    async def test_the_same_note_again_is_a_duplicate(self, stores, receive):
        await receive([sent(CALL, call(), item="one")])

        assert list(await receive([sent(CALL, call(), item="two", sequence=2)])) == []
        assert stores.conversations.kept == []


class TestAutomatic:
    async def test_an_automatic_reply_is_no_submission(self, stores, receive):
        headers = ("Auto-Submitted: auto-replied", "Content-Type: text/plain; charset=utf-8")
        arrival = sent(MAIL, mail_event(mail("Tôi đang nghỉ phép.", headers=headers)))

        assert list(await receive([arrival])) == []
        noted = stores.arrivals.noted[arrival.key]
        assert noted.fate == Fate.AUTOMATIC
        assert stores.data_keys.open("automatic", noted.sealed) == arrival.body


class TestSealedData:
    def sealed(self, info=None, item="item-1", content=None):
        info = info or f"langnghe feed/a017/{CALL}/{item}"
        content = orjson.dumps(call()) if content is None else content
        return sent(CALL, {"sealed": Seal.from_text(INTAKE_KEY.public, info).close(content)})

    async def test_it_is_read_as_if_it_were_clear(self, stores, receive):
        [received] = await receive([self.sealed()])

        assert received.data.category == "duty"
        [kept] = stores.submissions.kept
        assert orjson.loads(stores.data_keys.open("text", kept.sealed["text"]))["note"]

    @pytest.mark.parametrize(
        "info", [f"langnghe feed/a018/{CALL}/item-1", f"langnghe feed/a017/{CALL}/item-2", "x"]
    )
    async def test_what_was_sealed_for_another_event_does_not_open(self, receive, info):
        [refused] = await receive([self.sealed(info)])

        assert refused.data.type == "/problems/sealed"
        assert refused.data.problems[0].field == "/data/sealed"

    @pytest.mark.parametrize("content", [b"{", b"[]", b'{"call": 7}', b""])
    async def test_what_it_holds_must_keep_the_contract(self, receive, content):
        [refused] = await receive([self.sealed(content=content)])

        assert refused.type == "item.refused.v1"


class Away(Exception):
    pass


class TestAccept:
    async def test_it_answers_with_fates_and_announces_through_the_outbox(self, stores):
        woken = []
        accept = acceptor(receiving(stores), (Away,), lambda: woken.append(1))

        [fate] = await accept([first_mail()])

        published = []

        async def publish(events):
            published.extend(events)

        outbox = MemoryOutbox(stores.submissions, stores.conversations, stores.records)
        relay = Relay(outbox, publish, (Away,))
        assert (fate.fate, woken) == (Fate.KEPT, [1])
        assert await relay.announce() == 1
        assert await relay.announce() == 0
        assert [e.subject for e in published] == [fate.subject]

    async def test_what_could_not_be_announced_waits(self, stores):
        accept = acceptor(receiving(stores), (Away,), lambda: None)
        await accept([first_mail()])

        async def publish(_events):
            raise Away

        outbox = MemoryOutbox(stores.submissions)
        with pytest.raises(Away):
            await Relay(outbox, publish, (Away,)).announce()
        assert len(await outbox.waiting(10)) == 1

    async def test_a_store_that_is_away_is_said(self, stores):
        async def gone(*_args, **_more):
            raise Away

        stores.submissions.add_once = gone
        with pytest.raises(StoreAway):
            await acceptor(receiving(stores), (Away,), lambda: None)([first_mail()])

    async def test_without_rules_nothing_can_be_kept(self):
        with pytest.raises(StoreAway):
            await acceptor(receiving(memory_stores()), (Away,), lambda: None)([first_mail()])
