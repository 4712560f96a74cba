"""CloudEvents over HTTP: the official conformance scenarios, and what the binding demands."""

import os
import re
from itertools import takewhile
from pathlib import Path

import orjson
import pytest

from shared.runtime.http.cloudevents import (
    Mode,
    Unreadable,
    mode_of,
    read_batch,
    read_binary,
    read_structured,
)
from shared.runtime.http.problem import Problem

JSON = (b"content-type", b"application/json")


def cells(line):
    return [cell.strip() for cell in line.strip().strip("|").split("|")]


def table(lines):
    """The rows under a step, up to the first line that is none."""
    return [cells(line) for line in takewhile(lambda line: line.strip().startswith("|"), lines)]


def quoted(lines):
    """The text between the first two lines of three quotation marks, without their indent."""
    start = next(n for n, line in enumerate(lines) if line.strip() == '"""')
    indent = len(lines[start]) - len(lines[start].lstrip())
    inside = takewhile(lambda line: line.strip() != '"""', lines[start + 1 :])
    return "\n".join(line[indent:] for line in inside)


def after(lines, words):
    return lines[next(n for n, line in enumerate(lines) if words in line) + 1 :]


class Scenario:
    """One example of one outline of the feature file, read for what it states."""

    def __init__(self, outline, example):
        def filled(text):
            return re.sub(r"<(\w+)>", lambda found: example[found[1]], text)

        lines = [filled(line) for line in outline]
        head, _, body = quoted(after(lines, "Given an HTTP request")).partition("\n\n")
        self.name = filled(outline[0].partition(":")[2].strip())
        self.body = body.encode()
        self.headers = [
            (name.strip().lower().encode(), value.strip().encode())
            for name, _, value in (line.partition(":") for line in head.splitlines()[1:])
        ]
        _, *rows = table(after(lines, "Then the attributes are"))
        self.attributes = dict(rows)
        self.data = orjson.loads(quoted(after(lines, "the data is equal to")))


def scenarios():
    """Of `contracts/cloudevents`, beside the folder of real mails; none without it."""
    corpus = os.environ.get("LANGNGHE_CORPUS", "")
    path = Path(corpus).parent / "contracts/cloudevents/http-protocol-binding.feature"
    if not corpus or not path.exists():
        return []
    found = []
    for outline in path.read_text(encoding="utf-8").split("Scenario Outline")[1:]:
        lines = outline.splitlines()
        names, *examples = table(after(lines, "Examples:"))
        found += [Scenario(lines, dict(zip(names, row, strict=True))) for row in examples]
    return found


def read(scenario):
    match mode_of(scenario.headers):
        case Mode.BINARY:
            return read_binary(scenario.headers, scenario.body)
        case Mode.STRUCTURED:
            return read_structured(scenario.body)


@pytest.mark.corpus
@pytest.mark.parametrize("scenario", scenarios() or [None], ids=lambda s: s.name if s else "none")
class TestConformance:
    @pytest.fixture(autouse=True)
    def skip_without(self, scenario):
        if scenario is None:
            pytest.skip("LANGNGHE_CORPUS names no folder with the feature file beside it")

    def test_the_attributes_are_those_of_the_scenario(self, scenario):
        assert dict(read(scenario).attributes) == scenario.attributes

    def test_the_data_is_that_of_the_scenario(self, scenario):
        assert read(scenario).data == scenario.data


@pytest.mark.corpus
def test_every_scenario_of_the_feature_file_is_found():
    if not (found := scenarios()):
        pytest.skip("LANGNGHE_CORPUS names no folder with the feature file beside it")

    assert len(found) == 4


class TestHeaderValues:
    """Section 3.1.3.2."""

    @pytest.mark.parametrize(
        ("value", "text"),
        [
            (b"Euro%20%E2%82%AC%20%F0%9F%98%80", "Euro € 😀"),
            (b"Ph%C6%B0%E1%BB%9Dng%20An%20Th%c3%a1i", "Phường An Thái"),
            ("Phường".encode(), "Phường"),
            (b"%41BC", "ABC"),
            (b"100%25", "100%"),
            (b"100%2525", "100%25"),
            (b'"a \\"quoted\\" %41"', 'a "quoted" A'),
            (b'"', '"'),
        ],
    )
    def test_a_value_is_unquoted_then_decoded_once(self, value, text):
        assert read_binary([(b"ce-subject", value)], b"").attributes["subject"] == text

    @pytest.mark.parametrize("value", [b"%C0%A0", b"%ff", b"%ED%A0%80", b"\xff"])
    def test_bytes_that_are_no_utf8_are_refused(self, value):
        with pytest.raises(Unreadable) as refused:
            read_binary([(b"ce-subject", value)], b"")

        assert refused.value.problems[0].field == "/subject"

    @pytest.mark.parametrize(
        "headers",
        [
            [(b"ce-data", b"{}")],
            [(b"ce-datacontenttype", b"text/plain")],
            [(b"ce-id", b"1"), (b"ce-id", b"2")],
            [(b"ce-trace-id", b"1")],
            [(b"ce-", b"1")],
        ],
        ids=lambda headers: headers[0][0].decode(),
    )
    def test_a_header_that_is_no_attribute_is_refused(self, headers):
        with pytest.raises(Unreadable):
            read_binary([JSON, *headers], b"{}")

    def test_other_headers_are_passed_over(self):
        headers = [JSON, (b"x-forwarded-for", b"203.0.113.9"), (b"user-agent", b"curl")]

        assert dict(read_binary(headers, b"{}").attributes) == {
            "datacontenttype": "application/json"
        }


class TestData:
    def test_base64_of_json_is_its_value(self):
        event = read_structured(b'{"id": "1", "data_base64": "eyJhIjogMX0="}')

        assert event.data == {"a": 1}

    def test_base64_of_other_data_stays_bytes(self):
        event = read_structured(b'{"datacontenttype": "image/png", "data_base64": "AP8="}')

        assert event.data == b"\x00\xff"

    @pytest.mark.parametrize(
        "body",
        [
            b"",
            b"{",
            b"[]",
            b'"text"',
            b"\xff",
            b'{"data": 1, "data_base64": "AA=="}',
            b'{"data_base64": 1}',
            b'{"data_base64": "eyJh-_=="}',
            b'{"data_base64": "AA=="}',
            b'{"data_base64": "e*yJhIjogMX0="}',
        ],
    )
    def test_what_is_no_event_is_refused(self, body):
        with pytest.raises(Unreadable):
            read_structured(body)

    def test_a_batch_is_read_one_by_one(self):
        first, second, third = read_batch(b'[{"id": "1"}, 2, {"id": "3"}]')

        assert isinstance(second, Unreadable)
        assert (first.attributes["id"], third.attributes["id"]) == ("1", "3")

    def test_a_batch_may_be_empty(self):
        assert read_batch(b"[]") == []

    @pytest.mark.parametrize("kind", ["application/json;charset=utf-8", "Application/JSON"])
    def test_json_in_utf8_is_written_in_one_spelling(self, kind):
        event = read_structured(orjson.dumps({"datacontenttype": kind, "data": {}}))

        assert orjson.loads(event.encode())["datacontenttype"] == "application/json"

    def test_what_cannot_be_written_again_is_refused(self):
        event = read_structured(b'{"data": ' + b"[" * 500 + b"]" * 500 + b"}")

        with pytest.raises(Unreadable):
            event.encode()


class TestMode:
    @pytest.mark.parametrize(
        ("kind", "mode"),
        [
            ("application/cloudevents+json", Mode.STRUCTURED),
            ("Application/CloudEvents+JSON; charset=UTF-8", Mode.STRUCTURED),
            ("application/cloudevents-batch+json", Mode.BATCHED),
            ("application/json", Mode.BINARY),
            ("application/vnd.example+json", Mode.BINARY),
        ],
    )
    def test_the_content_type_tells_the_mode(self, kind, mode):
        assert mode_of([(b"content-type", kind.encode()), (b"ce-id", b"1")]) is mode

    @pytest.mark.parametrize(
        "kind",
        [
            "application/cloudevents+avro",
            "application/cloudevents",
            "application/cloudevents+json; charset=utf-16",
            "text/xml",
            "image/png",
            "nonsense",
        ],
    )
    def test_another_content_type_is_unsupported(self, kind):
        with pytest.raises(Problem) as refused:
            mode_of([(b"content-type", kind.encode()), (b"ce-id", b"1")])

        assert refused.value.status == 415

    def test_json_without_any_attribute_is_no_event(self):
        with pytest.raises(Problem) as refused:
            mode_of([JSON])

        assert refused.value.status == 415
