"""Every message is a CloudEvent 1.0, by this project's reading and by the official schema."""

import json
import os
from pathlib import Path

import pytest
from jsonschema import Draft7Validator, Draft202012Validator

from tests.contracts import messages

OURS = json.loads((Path(__file__).parent / "cloudevents.schema.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def ours():
    Draft202012Validator.check_schema(OURS)
    return Draft202012Validator(OURS, format_checker=Draft202012Validator.FORMAT_CHECKER)


@pytest.fixture(scope="module")
def official():
    """`contracts/cloudevents/cloudevents.json`, beside the folder of real mails."""
    corpus = os.environ.get("LANGNGHE_CORPUS")
    if not corpus:
        pytest.skip("LANGNGHE_CORPUS names no folder")
    path = Path(corpus).parent / "contracts" / "cloudevents" / "cloudevents.json"
    if not path.exists():
        pytest.skip("no CloudEvents schema lies beside the folder that LANGNGHE_CORPUS names")
    return Draft7Validator(
        json.loads(path.read_text(encoding="utf-8")), format_checker=Draft7Validator.FORMAT_CHECKER
    )


def every_recorded():
    return pytest.mark.parametrize("name", sorted(messages.RECORDED))


def complaints(validator, content):
    return [error.message for error in validator.iter_errors(content)]


@every_recorded()
def test_a_recorded_message_is_a_cloudevent(ours, name):
    assert complaints(ours, messages.content(name)) == []


@every_recorded()
def test_an_encoded_event_is_a_cloudevent(ours, name):
    assert complaints(ours, json.loads(messages.event(name).encode())) == []


@every_recorded()
def test_an_absent_attribute_is_left_out(name):
    assert None not in json.loads(messages.event(name).encode()).values()


@pytest.mark.corpus
@every_recorded()
def test_a_recorded_message_is_valid_by_the_official_schema(official, name):
    assert complaints(official, messages.content(name)) == []


@pytest.mark.corpus
@every_recorded()
def test_an_encoded_event_is_valid_by_the_official_schema(official, name):
    assert complaints(official, json.loads(messages.event(name).encode())) == []


ANY = "case.accepted.v1"


@pytest.mark.parametrize("attribute", ["specversion", "id", "source", "type"])
class TestRequiredAttributes:
    def test_one_that_is_absent_is_noticed(self, ours, attribute):
        content = messages.content(ANY)
        del content[attribute]

        assert complaints(ours, content)

    @pytest.mark.parametrize("value", [None, "", 1])
    def test_one_without_a_text_is_noticed(self, ours, attribute, value):
        assert complaints(ours, messages.content(ANY) | {attribute: value})


@pytest.mark.parametrize(
    "wrong",
    [
        {"specversion": "0.3"},
        {"source": "not a uri"},
        {"time": "2026-05-12"},
        {"time": "2026-05-12T02:10:00"},
        {"time": "12 May 2026"},
        {"subject": ""},
        {"id": "a\nb"},
        {"id": "a\u0085b"},
        {"type": "\ufffe"},
        {"datacontenttype": "json"},
        {"dataschema": "not absolute"},
        {"data_base64": "AA=="},
        {"correlationId": "x"},
        {"correlation_id": "x"},
        {"extension": {"a": 1}},
        {"extension": [1]},
        {"extension": 1.5},
        {"extension": 2**31},
    ],
    ids=repr,
)
def test_what_the_specification_forbids_is_noticed(ours, wrong):
    assert complaints(ours, messages.content(ANY) | wrong)


@pytest.mark.parametrize(
    "right",
    [
        {"subject": None},
        {"time": "2026-05-12T09:10:00.123+07:00"},
        {"datacontenttype": "application/vnd.example+json; charset=utf-8"},
        {"dataschema": "urn:example:case-accepted:v1"},
        {"source": "urn:uuid:6e8bc430-9c3a-11d9-9669-0800200c9a66"},
        {"extension": True},
        {"extension": -(2**31)},
        {"extension": "phường An Thái"},
        {"extension": None},
        {"data": None},
        {"data": "text"},
    ],
    ids=repr,
)
def test_what_the_specification_allows_is_allowed(ours, right):
    assert complaints(ours, messages.content(ANY) | right) == []
