"""Yesterday's messages still parse, and say the same."""

import unicodedata

import pytest
from pydantic import ValidationError

from shared.contracts import CATALOGUE, COMMANDS, FEED
from tests.contracts import messages

INGRESS = FEED.keys() | COMMANDS.keys()
INSIDE = CATALOGUE.keys() - INGRESS
SPOKEN = {name for name in FEED if "reporter" in FEED[name].model_fields}
"""What somebody said, about something."""


def every(types):
    return pytest.mark.parametrize("name", sorted(types))


class TestRecordedMessages:
    def test_every_type_of_the_catalogue_has_one(self):
        assert CATALOGUE.keys() - messages.RECORDED.keys() == set()

    def test_every_one_belongs_to_a_type_of_the_catalogue(self):
        assert messages.RECORDED.keys() - CATALOGUE.keys() == set()

    @every(messages.RECORDED)
    def test_each_is_named_after_its_type(self, name):
        assert messages.content(name)["type"] == name

    @every(messages.RECORDED)
    def test_each_still_parses(self, name):
        assert isinstance(messages.event(name).data, CATALOGUE[name])

    @every(messages.RECORDED)
    def test_each_says_the_same_after_it_was_encoded(self, name):
        event = messages.event(name)

        again = type(event).model_validate_json(event.encode())

        assert again == event

    @every(messages.RECORDED)
    def test_encoding_is_repeatable_to_the_byte(self, name):
        event = messages.event(name)

        again = type(event).model_validate_json(event.encode())

        assert again.encode() == event.encode()

    @every(messages.RECORDED)
    def test_encoding_keeps_every_field_that_was_said(self, name):
        said = messages.content(name)

        encoded = messages.parse(name, said).model_dump(mode="json", exclude_none=True)

        assert {path for path, _ in _leaves(said)} <= {path for path, _ in _leaves(encoded)}

    @every(messages.RECORDED)
    def test_its_vietnamese_is_composed(self, name):
        text = messages.RECORDED[name].decode()

        assert unicodedata.is_normalized("NFC", text)


class TestUnknownFields:
    @every(messages.RECORDED)
    def test_an_extension_of_the_envelope_is_passed_over(self, name):
        said = messages.content(name)

        assert messages.parse(name, {**said, "traceparent": "00-0-0-00"}) == messages.event(name)

    @every(INSIDE)
    def test_a_newer_writers_field_is_passed_over_inside(self, name):
        said = messages.content(name)
        said["data"]["added_later"] = "x"

        assert messages.parse(name, said) == messages.event(name)

    @every(INSIDE)
    def test_a_newer_writers_field_is_passed_over_however_deep(self, name):
        said = messages.content(name)
        for part in _objects(said["data"]):
            part["added_later"] = "x"

        assert messages.parse(name, said) == messages.event(name)

    @every(INGRESS)
    def test_an_unknown_field_is_refused_at_the_entrance(self, name):
        said = messages.content(name)
        said["data"]["cal1er"] = "0900000017"

        with pytest.raises(ValidationError) as refused:
            messages.parse(name, said)

        assert [error["type"] for error in refused.value.errors()] == ["extra_forbidden"]

    @every(SPOKEN)
    def test_an_unknown_field_about_who_spoke_is_refused_at_the_entrance(self, name):
        said = messages.content(name)
        said["data"]["reporter"]["fone"] = "0900000017"

        with pytest.raises(ValidationError):
            messages.parse(name, said)

    @every(SPOKEN)
    def test_an_unknown_field_about_the_object_is_refused_at_the_entrance(self, name):
        said = messages.content(name)
        said["data"]["concerns"]["ofice"] = "chu-tich-an-thai"

        with pytest.raises(ValidationError):
            messages.parse(name, said)

    @every(INGRESS)
    def test_a_refusal_does_not_quote_what_was_sent(self, name):
        said = messages.content(name)
        said["data"]["cal1er"] = "0900000017"

        with pytest.raises(ValidationError) as refused:
            messages.parse(name, said)

        assert "0900000017" not in str(refused.value)


class TestInstants:
    def test_a_time_without_a_zone_is_refused(self):
        said = messages.content("case.accepted.v1") | {"time": "2026-05-12T02:10:00"}

        with pytest.raises(ValidationError):
            messages.parse("case.accepted.v1", said)

    def test_a_time_is_told_in_utc_whatever_its_zone(self):
        said = messages.content("hotline-call.logged.v1")

        encoded = messages.parse("hotline-call.logged.v1", said).encode()

        assert b'"time":"2026-05-11T01:42:10Z"' in encoded


def _objects(part):
    if isinstance(part, dict):
        for value in list(part.values()):
            yield from _objects(value)
        yield part
    elif isinstance(part, list):
        for value in part:
            yield from _objects(value)


def _leaves(part, at=""):
    if isinstance(part, dict):
        for key, value in part.items():
            yield from _leaves(value, f"{at}/{key}")
    elif isinstance(part, list):
        for place, value in enumerate(part):
            yield from _leaves(value, f"{at}/{place}")
    else:
        yield at, part
