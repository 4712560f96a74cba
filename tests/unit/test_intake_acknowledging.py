"""Whoever writes to a mailbox is answered once, and only a person who wrote lately is."""

from dataclasses import replace
from datetime import timedelta
from email import message_from_bytes, policy

import pytest
import structlog
from prometheus_client import REGISTRY

from services.intake.acknowledging import Acknowledging, PostAway, Taken
from services.intake.acknowledging.sending import BATCH, GIVEN_UP, LATEST, LEASE, SOONEST
from services.intake.domain.acknowledging import (
    APART,
    DAY,
    MOST_A_DAY,
    MOST_AGE,
    Given,
    Never,
    admit,
    letter,
    message_id,
    recipient_key,
)
from services.intake.domain.mail import automatic, read_mail
from services.intake.domain.receipt import shown
from services.intake.handlers import Reader, Receiving, receiver
from shared.contracts.directory import Agency, AgencyChannel
from shared.contracts.ingress import Fate
from shared.contracts.vocabulary import Channel
from tests.examples_intake import (
    FINGERPRINTS,
    INTAKE_KEY,
    LONG_AGO,
    NOON,
    TODAY,
    call,
    directory_published,
    mail,
    mail_event,
    rulebook_published,
    sent,
)
from tests.examples_intake import letter as paper
from tests.examples_mail import BEYOND_A_CAP
from tests.fakes_acknowledging import MemoryAcknowledgements, MemoryContents
from tests.fakes_intake import memory_stores, read_in_process

MAIL, CALL, LETTER = (
    "mailbox-message.arrived.v1",
    "hotline-call.logged.v1",
    "letter.registered.v1",
)
FORM = "form.submitted.v1"
MAILBOX, OTHER_MAILBOX = "gopy.anthai@vanxuan.example.vn", "gopy.yte@vanxuan.example.vn"
PERSON = "tranthib@example.vn"
PAGE = "https://gopy.vanxuan.example.vn/bien-nhan"
TEXT = "Content-Type: text/plain; charset=utf-8"


class Away(Exception):
    """A store is away."""


def mailbox(address, **more):
    return AgencyChannel(channel=Channel.MAILBOX, address=address, **more)


def agencies(*first):
    return (
        Agency(
            code="a017",
            unit="an-thai",
            channels=first or (AgencyChannel(channel="hotline", address="1"), mailbox(MAILBOX)),
        ),
        Agency(code="a018", unit="so-y-te", channels=(mailbox(OTHER_MAILBOX),)),
        Agency(code="a019", unit="van-xuan"),
    )


class Letterbox:
    """The port `Posting`: keeps what is handed over, or answers as told."""

    def __init__(self):
        self.sent = []
        self.answers = []
        """For the next ones: what is answered, or raised."""

    async def send(self, to, raw):
        answer = self.answers.pop(0) if self.answers else Taken.SENT
        if isinstance(answer, Exception):
            raise answer
        if answer is Taken.SENT:
            self.sent.append((to, message_from_bytes(raw, policy=policy.default)))
        return answer


class Intake:
    """Intake in memory, at a time of its own."""

    def __init__(self, stores, *, acknowledges=True):
        self.stores, self.at, self.post = stores, NOON + timedelta(minutes=1), Letterbox()
        reader = Reader(FINGERPRINTS, acknowledges=acknowledges)
        self.receive = receiver(Receiving(stores, reader, read_in_process, INTAKE_KEY.open))
        self.needs = MemoryAcknowledgements(stores.submissions)
        self.count = 0
        self.begin()

    def begin(self):
        """As a new process does."""
        self.acknowledging = Acknowledging(
            self.needs,
            self.post,
            lambda: self.at,
            contents=MemoryContents(self.stores.submissions),
            data_keys=self.stores.data_keys,
            receipts=self.stores.receipts,
            rules=self.stores.rules,
            key=FINGERPRINTS,
            page=PAGE,
            passing=(Away,),
        )

    async def write(self, body="Hồ sơ bị hẹn lại.", *, agency="a017", event=None, **more):
        """One more mail; answers the submission it became, or joined."""
        self.count += 1
        more = {"message_id": f"<thu-{self.count}@example.vn>"} | more
        return await self.take(
            mail(f"{body} Lần {self.count}.", **more), agency=agency, event=event
        )

    async def take(self, raw, *, agency="a017", event=None):
        self.count += 1
        arrival = sent(
            MAIL,
            mail_event(raw),
            item=f"mail-{self.count}",
            sequence=self.count,
            agency=agency,
            **{"time": self.at.isoformat()} | (event or {}),
        )
        followed = await self.receive([replace(arrival, recorded=self.at)])
        return followed[0].subject if followed else None

    async def send(self):
        return await self.acknowledging.send_due(self.at)

    async def wait(self, **time):
        self.at += timedelta(**time)
        return await self.send()


@pytest.fixture
async def intake():
    stores = memory_stores()
    published = directory_published(agencies=agencies())
    await stores.rules.keep([published], [rulebook_published()])
    return Intake(stores)


async def crash(*_):
    raise Away


def outcomes(outcome):
    return REGISTRY.get_sample_value("langnghe_acknowledgements_total", {"outcome": outcome}) or 0


class TestWhoIsAnswered:
    async def test_a_person_is(self, intake):
        submission = await intake.write()
        await intake.send()

        [(to, message)] = intake.post.sent
        code = await intake.stores.receipts.give(submission)
        assert to == PERSON
        assert message["To"] == PERSON
        assert message["From"].addresses[0].addr_spec == MAILBOX
        assert message["From"].addresses[0].display_name == "Phường An Thái"
        assert message["In-Reply-To"] == "<thu-1@example.vn>"
        assert message["Auto-Submitted"] == "auto-replied"
        assert shown(code) in message.get_content()

    async def test_once(self, intake):
        await intake.write()

        assert [await intake.send(), await intake.wait(days=1), await intake.wait(days=9)] == [
            1,
            0,
            0,
        ]

    async def test_not_for_a_second_sending_of_the_same_mail(self, intake):
        await intake.write(message_id="<x@example.vn>")
        raw = mail("Hồ sơ bị hẹn lại. Lần 1.", message_id="<x@example.vn>")
        await intake.send()
        await intake.receive([sent(MAIL, mail_event(raw), item="again", sequence=9)])
        await intake.wait(hours=2)

        assert len(intake.post.sent) == 1

    async def test_not_for_what_is_added_to_a_submission(self, intake):
        first = await intake.write(message_id="<x@example.vn>")
        await intake.send()
        joined = await intake.write(headers=(TEXT, "In-Reply-To: <x@example.vn>"))
        await intake.wait(hours=2)

        assert joined == first
        assert len(intake.post.sent) == 1

    @pytest.mark.parametrize(
        "headers",
        [
            (TEXT, "Auto-Submitted: auto-generated"),
            (TEXT, "Precedence: list", "List-Unsubscribe: <mailto:u@example.vn>"),
            (TEXT, "Return-Path: <>"),
            (TEXT, "Auto-Submitted: auto-replied"),
            (TEXT, "X-Langnghe-Loop: gopy@example.vn"),
        ],
    )
    async def test_never_a_machine(self, intake, headers):
        assert read_mail(mail(headers=headers)).automatic != automatic.PERSON
        await intake.write(headers=headers)

        assert await intake.wait(hours=2) == 0
        assert intake.needs.never_acknowledged == {}

    @pytest.mark.parametrize(
        "sender",
        [
            "Ai đó",
            "",
            "A <a@example.vn>, B <b@example.vn>",
            "A <a@example.vn>\r\nFrom: B <b@example.vn>",
        ],
    )
    async def test_never_a_doubtful_sender(self, intake, sender):
        assert await intake.write(sender=sender)

        assert await intake.wait(hours=2) == 0

    @pytest.mark.parametrize(
        "address",
        ["no-reply@x.vn", "noreply@x.vn", "do_not_reply@x.vn", "owner-l@x.vn", "l-request@x.vn"],
    )
    async def test_never_an_address_that_nobody_reads(self, intake, address):
        assert await intake.write(sender=f"Hệ thống <{address}>")

        assert await intake.wait(hours=2) == 0

    async def test_never_a_mail_that_cannot_be_read(self, intake):
        assert await intake.take(BEYOND_A_CAP["lines"]())

        assert await intake.wait(hours=2) == 0

    async def test_whose_address_only_begins_alike_is(self, intake):
        await intake.write(sender="noreplyanh@example.vn")

        assert await intake.wait(hours=2) == 1

    @pytest.mark.parametrize("address", [MAILBOX, OTHER_MAILBOX, OTHER_MAILBOX.upper()])
    async def test_never_a_mailbox_of_the_directory(self, intake, address):
        submission = await intake.write(sender=address)

        assert await intake.send() == 0
        assert intake.needs.never_acknowledged == {submission: Never.OWN_MAILBOX}

    async def test_never_a_mailbox_that_the_directory_had(self, intake):
        old = mailbox("cu@vanxuan.example.vn", valid_from=LONG_AGO, valid_to=TODAY)
        published = directory_published(version=2, agencies=agencies(old, mailbox(MAILBOX)))
        await intake.stores.rules.keep([published], [])
        submission = await intake.write(sender="cu@vanxuan.example.vn")
        await intake.send()

        assert intake.needs.never_acknowledged == {submission: Never.OWN_MAILBOX}

    @pytest.mark.parametrize(
        ("age", "answered"), [(MOST_AGE, 1), (MOST_AGE + timedelta(seconds=1), 0)]
    )
    async def test_never_a_mail_of_more_than_seven_days(self, intake, age, answered):
        await intake.write(event={"time": (intake.at - age).isoformat()}, date_=None)

        assert await intake.send() == answered

    async def test_a_mail_is_as_old_as_its_own_date_says(self, intake):
        await intake.write(date_="Mon, 04 May 2026 08:42:10 +0700")

        assert await intake.send() == 0

    @pytest.mark.parametrize(
        ("kind", "data"),
        [
            (CALL, call(reporter={"name": "B", "email": PERSON})),
            (LETTER, paper(reporter={"email": PERSON})),
            (FORM, {"text": "Xin hỏi.", "reporter": {"email": PERSON}}),
        ],
    )
    async def test_never_another_channel(self, intake, kind, data):
        [received] = await intake.receive([sent(kind, data)])

        assert received.type == "submission.received.v1"
        assert [kept.acknowledge for kept in intake.stores.submissions.kept] == [False]

    async def test_nobody_where_no_mail_server_is_set(self, intake):
        without = Intake(intake.stores, acknowledges=False)
        await without.write()

        assert not without.stores.submissions.kept[0].acknowledge
        assert await without.send() == 0

    async def test_nobody_whose_identity_was_erased(self, intake):
        submission = await intake.write()
        await intake.stores.data_keys.destroy(submission)
        await intake.send()

        assert intake.post.sent == []
        assert intake.needs.never_acknowledged == {submission: Never.ERASED}

    async def test_nobody_in_the_name_of_an_agency_without_a_mailbox(self, intake):
        submission = await intake.write(agency="a019")
        await intake.send()

        assert intake.needs.never_acknowledged == {submission: Never.NO_MAILBOX}

    async def test_the_mailbox_in_force_writes(self, intake):
        old = mailbox("cu@vanxuan.example.vn", valid_from=LONG_AGO, valid_to=TODAY)
        published = directory_published(version=2, agencies=agencies(old, mailbox(MAILBOX)))
        await intake.stores.rules.keep([published], [])
        await intake.write()
        await intake.send()

        [(_, message)] = intake.post.sent
        assert message["From"].addresses[0].addr_spec == MAILBOX

    async def test_an_address_that_no_command_may_hold_is_not_written_to(self, intake):
        submission = await intake.write(sender="nguyễn@example.vn")
        await intake.send()

        assert intake.needs.never_acknowledged == {submission: Never.NOT_AN_ADDRESS}


class TestHowOften:
    async def test_once_an_hour(self, intake):
        first = await intake.write()
        second = await intake.write()
        await intake.send()

        assert intake.needs.acknowledged.keys() == {first}
        assert intake.needs.never_acknowledged == {second: Never.TOO_OFTEN}

    async def test_at_whichever_agency(self, intake):
        await intake.write()
        await intake.write(agency="a018")

        assert await intake.send() == 1

    async def test_with_whichever_tag(self, intake):
        await intake.write(sender="an@example.vn")
        await intake.write(sender="AN+2@example.vn")

        assert await intake.send() == 1

    async def test_another_sender_is_answered(self, intake):
        await intake.write()
        await intake.write(sender="an@example.vn")

        assert await intake.send() == 2

    async def test_again_after_an_hour(self, intake):
        await intake.write()
        await intake.send()
        intake.at += APART
        await intake.write()

        assert await intake.send() == 1

    async def test_ten_times_a_day(self, intake):
        for _ in range(MOST_A_DAY + 3):
            await intake.write()
            await intake.send()
            intake.at += timedelta(minutes=90)
        assert len(intake.post.sent) == MOST_A_DAY

        intake.at += timedelta(hours=5)
        await intake.write()
        assert await intake.send() == 1

    def test_the_same_one_again_counts_once(self):
        admitted = admit((), "one", NOON)

        assert admit(admitted, "one", NOON) == (Given("one", NOON),)

    def test_what_is_older_than_a_day_is_forgotten(self):
        assert admit((Given("one", NOON - DAY),), "two", NOON) == (Given("two", NOON),)

    def test_addresses_are_counted_by_a_keyed_hash(self):
        assert recipient_key("an@x.vn", b"1") != recipient_key("an@x.vn", b"2")
        assert recipient_key("an@x.vn", b"1") != recipient_key("an@y.vn", b"1")


class TestFailures:
    async def test_what_the_server_puts_off_is_sent_later(self, intake):
        submission = await intake.write()
        intake.post.answers = [Taken.LATER]

        assert await intake.send() == 0
        assert intake.needs.due(submission) == intake.at + SOONEST
        assert await intake.wait(seconds=29) == 0
        assert await intake.wait(seconds=1) == 1

    async def test_the_longer_it_waits_the_seldomer_it_is_tried(self, intake):
        submission = await intake.write()
        intake.post.answers = [Taken.LATER] * 200
        pauses = []
        while submission not in intake.needs.never_acknowledged:
            await intake.send()
            if submission not in intake.needs.never_acknowledged:
                pauses.append(intake.needs.due(submission) - intake.at)
                intake.at = intake.needs.due(submission)

        assert pauses == sorted(pauses)
        assert (pauses[0], pauses[-1]) == (SOONEST, LATEST)
        assert len(pauses) < 140
        assert intake.needs.never_acknowledged == {submission: Never.TOO_LATE}

    async def test_what_the_server_refuses_is_never_sent_again(self, intake):
        submission, refused = await intake.write(), outcomes("refused")
        intake.post.answers = [Taken.REFUSED]
        await intake.send()

        assert await intake.wait(days=1) == 0
        assert intake.post.sent == []
        assert intake.needs.never_acknowledged == {submission: Never.REFUSED}
        assert outcomes("refused") == refused + 1

    async def test_one_that_is_put_off_does_not_hold_the_others(self, intake):
        await intake.write()
        await intake.write(sender="an@example.vn")
        intake.post.answers = [Taken.LATER]

        assert await intake.send() == 1

    async def test_one_that_cannot_be_made_does_not_hold_the_others(self, intake):
        submission = await intake.write()
        [first] = intake.stores.submissions.kept
        sealed = first.sealed | {"identity": first.sealed["text"]}
        intake.stores.submissions.kept[0] = replace(first, sealed=sealed)
        await intake.write(sender="an@example.vn")

        assert await intake.send() == 1
        assert intake.needs.due(submission) == intake.at + SOONEST

    async def test_while_the_server_is_away_the_others_wait_untried(self, intake):
        await intake.write()
        await intake.write(sender="an@example.vn")
        intake.post.answers = [PostAway("ConnectionRefusedError")]

        assert await intake.send() == 0
        assert intake.acknowledging.waits_for == "ConnectionRefusedError"
        assert await intake.wait(seconds=30) == 2
        assert intake.acknowledging.waits_for == ""

    async def test_a_store_that_is_away_says_so(self, intake):
        await intake.write()
        intake.post.answers = [Away()]

        with pytest.raises(Away):
            await intake.send()
        assert await intake.wait(minutes=10) == 1

    async def test_a_crash_before_the_sending_was_written_down_repeats_it_under_the_same_id(
        self, intake
    ):
        await intake.write()
        intake.needs.done, done = crash, intake.needs.done
        with pytest.raises(Away):
            await intake.send()
        intake.needs.done = done
        intake.begin()
        assert await intake.wait(minutes=10) == 1

        [(_, first), (_, second)] = intake.post.sent
        assert first["Message-ID"] == second["Message-ID"]
        assert await intake.wait(days=1) == 0

    async def test_what_was_taken_and_left_is_taken_again_when_its_lease_ends(self, intake):
        await intake.write()
        await intake.needs.take(intake.at, intake.at + LEASE)

        assert await intake.send() == 0
        intake.at += LEASE
        assert await intake.send() == 1

    async def test_a_round_ends(self, intake):
        for n in range(BATCH + 1):
            await intake.write(sender=f"dan-{n}@example.vn")

        assert [await intake.send(), await intake.send()] == [BATCH, 1]

    async def test_five_days_are_too_late(self, intake):
        submission = await intake.write()
        intake.at += GIVEN_UP + timedelta(seconds=1)
        await intake.send()

        assert intake.needs.never_acknowledged == {submission: Never.TOO_LATE}

    async def test_no_line_of_the_log_holds_an_address(self, intake):
        for n, answer in enumerate(
            (Taken.LATER, Taken.REFUSED, PostAway("TimeoutError"), ValueError(PERSON))
        ):
            await intake.write(sender=f"{n}-{PERSON}")
            intake.post.answers.append(answer)
        with structlog.testing.capture_logs() as said:
            for _ in range(3):
                await intake.wait(seconds=40)

        assert {line["event"] for line in said} == {"waits", "not acknowledged"}
        assert "example.vn" not in str(said)


class TestAnswers:
    async def test_an_answer_to_the_acknowledgement_joins(self, intake):
        submission = await intake.write()
        await intake.send()
        [(_, message)] = intake.post.sent

        joined = await intake.write(headers=(TEXT, f"In-Reply-To: {message['Message-ID']}"))
        assert joined == submission
        assert len(intake.stores.submissions.kept) == 1

    async def test_an_answer_that_comes_before_the_sending_is_written_down_joins(self, intake):
        submission = await intake.write()
        own = message_id(submission, MAILBOX, FINGERPRINTS)
        intake.post.answers = [PostAway("TimeoutError")]
        await intake.send()

        assert await intake.write(headers=(TEXT, f"In-Reply-To: {own}")) == submission

    async def test_a_strangers_answer_does_not_join(self, intake):
        submission = await intake.write()
        await intake.send()
        [(_, message)] = intake.post.sent

        other = await intake.write(
            sender="an@example.vn", headers=(TEXT, f"In-Reply-To: {message['Message-ID']}")
        )
        assert other != submission

    @pytest.mark.parametrize(
        "header",
        ["Auto-Submitted: auto-replied", "X-Autoreply: yes", "Precedence: auto-reply"],
    )
    async def test_an_automatic_answer_is_neither_heard_nor_answered(self, intake, header):
        await intake.write()
        await intake.send()
        [(_, message)] = intake.post.sent
        headers = (TEXT, f"In-Reply-To: {message['Message-ID']}", header)

        assert await intake.write("Tôi đi vắng.", headers=headers) is None
        assert await intake.wait(hours=2) == 0
        assert len(intake.stores.submissions.kept) == 1
        assert [a.fate for a in intake.stores.arrivals.noted.values()] == [
            Fate.KEPT,
            Fate.AUTOMATIC,
        ]

    async def test_our_own_mail_that_comes_back_is_neither_heard_nor_answered(self, intake):
        await intake.write()
        await intake.send()
        [(_, message)] = intake.post.sent

        arrival = sent(MAIL, mail_event(message.as_bytes()), item="back", sequence=7)
        assert list(await intake.receive([arrival])) == []
        assert await intake.wait(hours=2) == 0

    def test_the_id_does_not_tell_the_submission(self):
        own = message_id("submission-1", MAILBOX, FINGERPRINTS)

        assert own == message_id("submission-1", MAILBOX, FINGERPRINTS)
        assert own != message_id("submission-1", MAILBOX, b"another key")
        assert "submission-1" not in own
        assert own.endswith("@vanxuan.example.vn>")


class TestLetter:
    def test_english_stands_below_vietnamese(self):
        written = letter("1" * 27, PAGE)

        assert written.subject == "Đã nhận được ý kiến của quý vị"
        assert written.text.startswith("Kính gửi quý vị")
        assert written.text.index("Kính gửi") < written.text.index("Dear Sir or Madam")
        assert written.text.count(shown("1" * 27)) == 2

    async def test_it_says_nothing_of_what_was_said(self, intake):
        await intake.write("Ông Canari nhận tiền", subject="Tố cáo ông Canari")
        await intake.send()

        [(_, message)] = intake.post.sent
        assert "Canari" not in f"{message['Subject']}{message.get_content()}"
        assert "Trần Thị B" not in f"{message['To']}{message.get_content()}"
