"""The gate before a new AsyncAPI document; each of its rules is seen to refuse a break."""

import copy
import json

import pytest
import yaml
from typer.testing import CliRunner

from deploy.asyncapi import broken, document
from deploy.cli import app
from tests.contracts.test_asyncapi import KEPT

NOW = document()
OPENED = "case.opened.v1"
ASK = "ask.party.routing.worklist"


def changed(*path: str, to: object = None) -> dict:
    """The document with what stands at a path made different; None takes it away."""
    other = copy.deepcopy(NOW)
    *way, last = path
    there = other
    for step in way:
        there = there[step]
    if to is None:
        del there[last]
    else:
        there[last] = to
    return other


def schema(name: str) -> dict:
    return NOW["components"]["schemas"][name]


def field(name: str, of: str = "CaseOpened") -> tuple[str, ...]:
    return ("components", "schemas", of, "properties", name)


def required(of: str) -> tuple[str, ...]:
    return ("components", "schemas", of, "required")


BREAKS = {
    "a channel is gone": (
        changed("channels", OPENED),
        f"{OPENED}: the channel is gone",
    ),
    "its address is another": (
        changed("channels", OPENED, "address", to="case.begun.v1"),
        f"{OPENED}: the address became case.begun.v1",
    ),
    "its message is gone": (
        changed("channels", OPENED, "messages", OPENED),
        f"{OPENED}: {OPENED}: the message is gone",
    ),
    "an operation is gone": (
        changed("operations", f"send.{OPENED}"),
        f"send.{OPENED}: the operation is gone",
    ),
    "what was said is taken": (
        changed("operations", f"send.{OPENED}", "action", to="receive"),
        f"send.{OPENED}: it says something else now",
    ),
    "a question is not answered": (
        changed("operations", f"answer.{ASK}", "reply"),
        f"answer.{ASK}: it says something else now",
    ),
    "the content is of another kind": (
        changed("components", "messages", OPENED, "contentType", to="text/plain"),
        f"{OPENED}: {OPENED}: contentType: 'application/cloudevents+json' became 'text/plain'",
    ),
    "a header is gone": (
        changed("components", "messages", OPENED, "headers", "properties", "Nats-Msg-Id"),
        f"{OPENED}: {OPENED}: headers.Nats-Msg-Id: removed",
    ),
    "a field is gone": (
        changed(*field("unit")),
        f"{OPENED}: {OPENED}: payload.data.unit: removed",
    ),
    "a field within a list is gone": (
        changed(*field("cells", of="ReportRow")),
        "report.public.form.unit.period: report.published.v1: payload.data.rows.cells: removed",
    ),
    "an attribute of the envelope is gone": (
        changed(*field("correlationid", of="CloudEvent")),
        f"{OPENED}: {OPENED}: payload.correlationid: removed",
    ),
    "an optional field is required": (
        changed(*required("WorklistAsked"), to=["limit"]),
        f"{ASK}: asked: payload.limit: now required",
    ),
    "a new field is required": (
        changed(*required("CaseAsked"), to=["case", "reason"]),
        "ask.party.routing.case: asked: payload.reason: now required",
    ),
    "a required field need not be there": (
        changed(*required("CaseAsked"), to=[]),
        "ask.party.routing.case: asked: payload.case: no longer required",
    ),
    "a field is of another type": (
        changed(*field("limit", of="WorklistAsked"), "type", to="string"),
        f"{ASK}: asked: payload.limit.type: 'integer' became 'string'",
    ),
    "a bound is narrower": (
        changed(*field("limit", of="WorklistAsked"), "maximum", to=20),
        f"{ASK}: asked: payload.limit.maximum: 200 became 20",
    ),
    "a choice is narrower": (
        changed("components", "schemas", "Edition", "enum", to=["public"]),
        (
            "report.public.form.unit.period: report.published.v1: "
            "payload.data.edition.enum: ['internal', 'public'] became ['public']"
        ),
    ),
    "a choice is wider": (
        changed("components", "schemas", "Edition", "enum", to=["public", "internal", "secret"]),
        (
            "report.public.form.unit.period: report.published.v1: "
            "payload.data.edition.enum: ['internal', 'public'] became ['internal', 'public', 'secret']"
        ),
    ),
}


@pytest.mark.parametrize("name", BREAKS)
def test_it_is_refused_when(name):
    after, said = BREAKS[name]

    assert tidy(said) in map(tidy, broken(NOW, after))


def tidy(said: str) -> str:
    """Without the place of a rule within its field: `limit.type: …` is `limit: …`."""
    for rule in ("type", "maximum", "enum", "contentType"):
        said = said.replace(f".{rule}: ", ": ").replace(f": {rule}: ", ": .: ")
    return said


class TestWhatMayChange:
    def test_nothing_is_said_about_no_change(self):
        assert broken(NOW, copy.deepcopy(NOW)) == []

    def test_prose_is_no_promise(self):
        assert broken(NOW, changed("components", "schemas", "CaseOpened", "description")) == []

    def test_an_optional_field_may_come(self):
        after = changed(*field("added_later"), to={"type": "string", "default": ""})

        assert broken(NOW, after) == []

    def test_a_channel_with_its_operation_and_message_may_come(self):
        before = changed("channels", OPENED)
        del before["operations"][f"send.{OPENED}"], before["components"]["messages"][OPENED]

        assert broken(before, NOW) == []


class TestTheCommand:
    def run(self, *arguments):
        return CliRunner().invoke(app, ["asyncapi", *map(str, arguments)])

    def test_what_the_code_has_keeps_what_the_document_in_docs_promises(self):
        """If not: give the changed contract a new version, beside the old one."""
        assert broken(yaml.safe_load(KEPT.read_text(encoding="utf-8")), NOW) == []

    @pytest.mark.parametrize("kind", ["yaml", "json"])
    def test_a_break_ends_it_and_nothing_is_written(self, kind, tmp_path):
        older, out = tmp_path / "older", tmp_path / "new"
        before = changed("channels", "case.begun.v1", to=NOW["channels"][OPENED])
        write = json.dumps if kind == "json" else yaml.safe_dump
        older.write_text(write(before), encoding="utf-8")

        told = self.run("--against", older, "--out", out)

        assert told.exit_code == 1
        assert "case.begun.v1: the channel is gone" in told.output
        assert not out.exists()

    def test_without_a_break_it_writes_the_document(self, tmp_path):
        out = tmp_path / "new"

        assert self.run("--against", KEPT, "--out", out).exit_code == 0
        assert out.read_bytes() == KEPT.read_bytes()
