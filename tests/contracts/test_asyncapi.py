"""The AsyncAPI document has every topic, is valid, and stands in `docs` as the code has it."""

import ast
import json
import subprocess
import sys

import pytest
import yaml
from jsonschema import Draft7Validator

from deploy.asyncapi.document import document
from deploy.asyncapi.topics import matches, topics
from deploy.cli.contracts import Format, written
from shared.contracts import CATALOGUE, EVENTS
from shared.contracts.questions import QUESTIONS
from shared.runtime.streams import (
    ADVISORIES,
    ANNOUNCES,
    CONSUMERS,
    NOTHING,
    REDRIVE,
    STREAMS,
    SUSPECTS,
)
from tests.documents import ROOT
from tests.node import needs_node, run_node

KEPT = ROOT / "docs" / "asyncapi.yaml"
VALIDATE = ROOT / "tests" / "contracts" / "validate_asyncapi.js"
GOLDEN = sorted((ROOT / "tests" / "contracts" / "golden").glob("*.json"))
DOCUMENT = document()
TOPICS = {topic.address: topic for topic in topics()}


def answered() -> set[tuple[str, str]]:
    """Service and question of every `bus.answer(NAME, "…", …)` in the services' code."""
    found = set()
    for app in ROOT.glob("services/*/**/*.py"):
        for node in ast.walk(ast.parse(app.read_text(encoding="utf-8"))):
            match node:
                case ast.Call(func=ast.Attribute(attr="answer"), args=[_, question, *_]):
                    assert isinstance(question, ast.Constant), f"{app}: name the question here"
                    found.add((app.relative_to(ROOT / "services").parts[0], question.value))
    return found


class TestEveryTopicIsThere:
    def test_every_contract_is_spoken_somewhere(self):
        spoken = {name for channel in DOCUMENT["channels"].values() for name in channel["messages"]}

        assert spoken - {"asked", "told"} == CATALOGUE.keys()

    def test_every_question_that_is_answered_has_a_contract(self):
        assert {(q.service, q.name) for q in QUESTIONS} == answered()

    def test_every_question_is_a_request_with_a_reply(self):
        operations = DOCUMENT["operations"]

        for question in QUESTIONS:
            key = f"ask.party.{question.service}.{question.name}"
            assert operations[f"answer.{key}"]["channel"] == {"$ref": f"#/channels/{key}"}
            assert DOCUMENT["channels"][key]["address"] == question.nats_subject("{party}")
            [told] = DOCUMENT["channels"][f"{key}.reply"]["messages"].values()
            assert told == {
                "$ref": f"#/components/messages/{question.service}.{question.name}.told"
            }

    @pytest.mark.parametrize(
        "subject",
        [
            *(s for said in ANNOUNCES.values() for s in said),
            *(s for durable in CONSUMERS.values() for s in durable.subjects),
            *(
                s
                for stream in STREAMS
                for s in stream.subjects
                if stream.name not in {NOTHING, ADVISORIES, REDRIVE, SUSPECTS}
            ),
        ],
    )
    def test_every_subject_of_the_streams_has_a_channel(self, subject):
        assert any(matches(subject, address) for address in TOPICS)

    @pytest.mark.parametrize("address", TOPICS)
    def test_every_topic_is_kept_by_one_stream(self, address):
        assert TOPICS[address].stream

    @pytest.mark.parametrize("path", GOLDEN, ids=lambda path: path.stem)
    def test_a_message_as_it_goes_over_the_wire_is_one_of_its_channel(self, path):
        content = json.loads(path.read_text(encoding="utf-8"))
        contract = CATALOGUE[path.stem]
        message = DOCUMENT["components"]["messages"][contract.TYPE]
        schema = {**message["payload"], "components": DOCUMENT["components"]}

        assert [error.message for error in Draft7Validator(schema).iter_errors(content)] == []
        for wrong in ({**content, "type": "other"}, {**content, "data": 1}):
            assert not Draft7Validator(schema).is_valid(wrong)

    @pytest.mark.parametrize("path", GOLDEN, ids=lambda path: path.stem)
    def test_an_announced_message_is_published_on_its_channels_address(self, path):
        contract = CATALOGUE[path.stem]
        data = contract.model_validate(json.loads(path.read_text(encoding="utf-8"))["data"])
        addresses = [t.address for t in TOPICS.values() if t.contract is contract]
        if TOPICS[addresses[0]].direction == "taken":
            return

        assert any(matches(wild(address), data.nats_subject()) for address in addresses)


def wild(address: str) -> str:
    tokens = ["*" if "{" in token else token for token in address.split(".")]
    return ".".join([*tokens[:-1], ">" if "{subject}" in address else tokens[-1]])


class TestWhoSpeaks:
    @pytest.mark.parametrize("who", ["public", "reader"])
    def test_the_public_hears_the_public_edition_alone(self, who):
        heard = [
            channel["address"]
            for channel in DOCUMENT["channels"].values()
            if who in channel.get("x-hearers", ())
        ]

        assert heard == ["report.public.{form}.{unit}.{period}"]

    def test_no_party_announces_an_event(self):
        speakers = {s for name in EVENTS for s in DOCUMENT["channels"][name]["x-speakers"]}

        assert speakers == {"intake", "routing", "reporting", "operator"}

    def test_every_topic_is_said_by_somebody(self):
        channels = [c for c in DOCUMENT["channels"].values() if c["address"]]

        assert [c["address"] for c in channels if not c["x-speakers"]] == []


class TestItIsWhole:
    def test_every_message_says_what_it_means(self):
        messages = DOCUMENT["components"]["messages"]

        assert [name for name, message in messages.items() if not message["summary"]] == []

    def test_both_formats_say_the_same(self):
        as_yaml = yaml.safe_load(written(DOCUMENT, Format.YAML))

        assert as_yaml == json.loads(written(DOCUMENT, Format.JSON)) == DOCUMENT

    def test_the_document_in_docs_is_that_of_the_code(self, tmp_path):
        """If not: `langnghe asyncapi --against docs/asyncapi.yaml --out docs/asyncapi.yaml`.

        Another process, with another order of sets, writes the very same bytes.
        """
        command = [sys.executable, "-m", "deploy", "asyncapi"]
        environment = {"PYTHONPATH": str(ROOT), "PYTHONHASHSEED": "7"}
        said = subprocess.run(command, capture_output=True, check=True, env=environment)

        assert said.stdout == KEPT.read_bytes()

    def test_asyncapis_own_parser_finds_nothing_wrong(self):
        folder = needs_node("@asyncapi/parser")

        told = run_node(VALIDATE, KEPT, NODE_FOLDER=str(folder))

        assert told.returncode == 0, told.stdout + told.stderr
        assert (
            told.stdout
            == f"{len(DOCUMENT['channels'])} channels, {len(DOCUMENT['operations'])} operations\n"
        )

    @pytest.mark.parametrize("part", ["operations/channel", "address", "message"])
    def test_and_finds_what_is_wrong(self, part, tmp_path):
        folder = needs_node("@asyncapi/parser")
        wrong = document()
        key = "case.opened.v1"
        if part == "address":
            wrong["channels"][key]["address"] = 7
        elif part == "message":
            wrong["channels"][key]["messages"][key] = {"$ref": "#/components/messages/none"}
        else:
            wrong["operations"][f"send.{key}"]["channel"] = {"$ref": "#/channels/none"}
        file = tmp_path / "wrong.yaml"
        file.write_text(written(wrong, Format.YAML), encoding="utf-8")

        assert run_node(VALIDATE, file, NODE_FOLDER=str(folder)).returncode == 1
