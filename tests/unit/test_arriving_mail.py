"""A mail as intake is handed it."""

from datetime import UTC, datetime, timedelta

import orjson

from services.intake.sources.arriving_mail import mail_arrival, mail_id
from shared.contracts import FEED
from shared.runtime.refusal import read_arrival

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
RAW = b"Subject: \xff\r\n\r\ntext\r\n"


def arrival(**other):
    given = {
        "entrance": "imap",
        "agency": "a-one",
        "time": NOON - timedelta(hours=1),
        "recorded": NOON,
        "key": b"key",
    }
    return mail_arrival(RAW, **given | other)


def test_it_meets_the_contract_with_every_byte():
    event = read_arrival(arrival(), FEED)

    assert event.data.raw == RAW
    assert event.time == NOON - timedelta(hours=1)


def test_a_time_to_come_is_not_believed():
    event = orjson.loads(arrival(time=NOON + timedelta(days=1)).body)

    assert datetime.fromisoformat(event["time"]) == NOON


def test_the_same_bytes_have_the_same_id():
    assert mail_id(RAW, b"key") == mail_id(bytes(RAW), b"key")


def test_who_has_no_key_cannot_tell_the_id():
    assert mail_id(RAW, b"key") != mail_id(RAW, b"other")


def test_sendings_of_two_places_are_told_apart():
    assert arrival(place="1.1").key != arrival(place="1.2").key


def test_one_mail_to_two_agencies_is_two_sendings():
    assert arrival().key != arrival(agency="a-two").key
