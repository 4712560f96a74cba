"""Who spoke is parted from what was said."""

import json

import pytest

from services.intake.domain.identity import part
from services.intake.domain.mail import read_mail
from shared.contracts import FEED, MailboxMessageArrived
from shared.contracts.vocabulary import Channel, Form, Signatures
from tests.examples_intake import call, letter, mail, mail_event

REPORTER = {"name": "Trần Thị B", "phone": "0900000017", "address": "Tổ 5", "email": "b@c.vn"}


def parted(type_, data):
    read = FEED[type_].model_validate(data)
    return part(read, read_mail(read.raw) if isinstance(read, MailboxMessageArrived) else None)


CASES = {
    "call": ("hotline-call.logged.v1", call(reporter=REPORTER)),
    "form": ("form.submitted.v1", {"text": "Hồ sơ.", "reporter": REPORTER}),
    "letter": ("letter.registered.v1", letter(reporter=REPORTER)),
    "mail": ("mailbox-message.arrived.v1", mail_event(mail())),
}


@pytest.mark.parametrize("case", CASES)
def test_nothing_of_who_spoke_is_in_what_was_said(case):
    parts = parted(*CASES[case])
    identity, text = (json.dumps(d, ensure_ascii=False) for d in (parts.identity, parts.text))

    assert "Trần Thị B" in identity
    for canary in ("Trần Thị B", "0900000017", "tranthib@example.vn", "thu-1@", "b@c.vn"):
        assert canary not in text + parts.words


@pytest.mark.parametrize(
    ("case", "form", "channel"),
    [
        ("call", Form.TELEPHONE, Channel.HOTLINE),
        ("form", Form.WEB_FORM, Channel.WEB_FORM),
        ("letter", Form.SIGNED_LETTER, Channel.LETTER),
        ("mail", Form.EMAIL, Channel.MAILBOX),
    ],
)
def test_the_way_it_came_is_its_form(case, form, channel):
    parts = parted(*CASES[case])

    assert (parts.form, parts.channel) == (form, channel)


@pytest.mark.parametrize(
    ("more", "form", "channel", "signatures"),
    [
        ({"signatures": 0}, Form.UNSIGNED_LETTER, Channel.LETTER, Signatures.OTHER),
        ({"signatures": 1}, Form.SIGNED_LETTER, Channel.LETTER, Signatures.ONE),
        ({"signatures": 3}, Form.SIGNED_LETTER, Channel.LETTER, Signatures.SEVERAL),
        ({"in_person": True}, Form.IN_PERSON, Channel.LETTER, Signatures.ONE),
        ({"paper_box": True}, Form.SIGNED_LETTER, Channel.PAPER_BOX, Signatures.ONE),
    ],
)
def test_a_letter_is_what_its_register_says(more, form, channel, signatures):
    parts = parted("letter.registered.v1", letter(**more))

    assert (parts.form, parts.channel, parts.signatures) == (form, channel, signatures)


def test_whoever_gives_a_name_counts_as_one():
    assert parted(*CASES["call"]).signatures == Signatures.ONE
    assert parted("hotline-call.logged.v1", call()).signatures == Signatures.OTHER
    assert parted("mailbox-message.arrived.v1", mail_event(mail())).signatures == Signatures.ONE
    unnamed = mail_event(mail(sender="b@example.vn"))
    assert parted("mailbox-message.arrived.v1", unnamed).signatures == Signatures.OTHER


def test_a_mail_keeps_what_it_says_with_what_is_attached():
    raw = mail("JVBERg==", headers=("Content-Disposition: attachment; filename=don.pdf",))

    parts = parted("mailbox-message.arrived.v1", mail_event(raw))

    assert parts.words.strip() == parts.text["subject"] == "Phản ánh"
    assert parts.text["attachments"][0]["name"] == "don.pdf"


def test_what_has_letters_or_an_attachment_can_be_read():
    attached = mail("", subject="", headers=("Content-Disposition: attachment; filename=a.pdf",))

    assert parted("form.submitted.v1", {"text": "Hồ sơ"}).readable
    assert not parted("form.submitted.v1", {"text": "?? 12"}).readable
    assert parted("mailbox-message.arrived.v1", mail_event(attached)).readable
    assert not parted("mailbox-message.arrived.v1", mail_event(mail("", subject=""))).readable
