"""The same item is known again for ever; another one never is."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.intake.domain.duplicate import _key, keys_of
from services.intake.domain.mail import read_mail
from shared.contracts import FEED
from shared.runtime.refusal import read_arrival
from tests.examples_intake import call, letter, mail, mail_event, sent

CALL, LETTER, MAIL = "hotline-call.logged.v1", "letter.registered.v1", "mailbox-message.arrived.v1"
KEY = b"k" * 32


def keys(type_, data, *, agency="a017", key=KEY, **more):
    event = read_arrival(sent(type_, data, agency=agency, **more), FEED)
    read = read_mail(event.data.raw) if type_ == MAIL else None
    return set(keys_of(agency, event, read, key=key))


def mail_keys(raw, **more):
    return keys(MAIL, mail_event(raw), **more)


def test_an_item_sent_again_is_known_by_its_event_id():
    assert keys("form.submitted.v1", {"text": "a"}) & keys("form.submitted.v1", {"text": "b"})


def test_forms_of_other_ids_are_never_the_same():
    first = keys("form.submitted.v1", {"text": "a"}, item="1")

    assert not first & keys("form.submitted.v1", {"text": "a"}, item="2")


@pytest.mark.parametrize(
    ("type_", "data"),
    [(CALL, call()), (LETTER, letter()), (MAIL, mail_event(mail()))],
)
def test_each_agency_has_its_own(type_, data):
    assert not keys(type_, data, agency="a017") & keys(type_, data, agency="a018")


def test_a_call_is_known_by_the_id_of_its_exchange():
    first = keys(CALL, call(), item="1")

    assert first & keys(CALL, call(note="Ghi lại"), item="2")
    assert not first & keys(CALL, call(call="other"), item="2")


def test_a_letter_is_known_by_its_number_and_day_of_register():
    first = keys(LETTER, letter(), item="1", time="2026-05-11T01:00:00+07:00")

    assert first & keys(LETTER, letter(summary="x"), item="2", time="2026-05-11T23:00:00+07:00")
    assert not first & keys(LETTER, letter(), item="2", time="2026-05-12T01:00:00+07:00")
    assert not first & keys(LETTER, letter(register_number="8"), item="2")


def test_a_mail_is_known_by_its_id_however_it_was_carried():
    again = mail(headers=("Received: by elsewhere", "Content-Type: text/plain; charset=utf-8"))

    assert mail_keys(mail(), item="1") & mail_keys(again, item="2")


def test_the_same_id_with_another_body_is_another_mail():
    assert not mail_keys(mail("Một"), item="1") & mail_keys(mail("Hai"), item="2")


def test_a_mail_without_an_id_is_known_by_what_it_says():
    bare = mail(message_id=None)

    assert mail_keys(bare, item="1") & mail_keys(bare, item="2")
    for other in (
        mail("Khác", message_id=None),
        mail(message_id=None, subject="Khác"),
        mail(message_id=None, sender="c@example.vn"),
        mail(message_id=None, date_="Tue, 12 May 2026 08:42:10 +0700"),
    ):
        assert not mail_keys(bare, item="1") & mail_keys(other, item="2")


def test_a_mail_without_id_and_date_is_known_by_all_that_was_written():
    bare = mail(message_id=None, date_=None)
    carried = b"Received: by x\r\n\twith SMTP\r\nX-Spam-Score: 1\r\n" + bare

    assert mail_keys(bare, item="1") & mail_keys(carried, item="2")
    for other in (b"Reply-To: c@example.vn\r\n" + bare, bare + b"Received: by x\r\n"):
        assert not mail_keys(bare, item="1") & mail_keys(other, item="2")


def test_a_mail_that_was_not_parsed_is_known_by_its_bytes():
    bomb = mail(sender="(" * 60)

    assert mail_keys(bomb, item="1") & mail_keys(bomb, item="2")
    assert not mail_keys(bomb, item="1") & mail_keys(bomb + b"x", item="2")


def test_who_lacks_the_key_cannot_ask_whether_a_call_came():
    assert not keys(CALL, call()) & keys(CALL, call(), key=b"o" * 32)
    assert all(re.fullmatch("[0-9a-f]{32}", key) for key in keys(CALL, call()))


@given(st.lists(st.text(), max_size=4), st.lists(st.text(), max_size=4))
def test_other_parts_have_other_keys(left, right):
    assert (_key(KEY, *left) == _key(KEY, *right)) == (left == right)
